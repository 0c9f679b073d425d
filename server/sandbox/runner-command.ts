import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";

/** What to execute for a runner process, and the limits that the system puts on it. */
export type RunnerCommand = Readonly<{ file: string; args: readonly string[] }>;

const systemFolders = ["/usr/bin", "/bin"] as const;

function findTool(name: string): string | undefined {
  return systemFolders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/**
 * Node with its permission system on and reads of its own files alone, under the limits that this system offers.
 * On Linux: in a network namespace of its own, which holds nothing, not even loopback (unshare, where `netless`), killed together
 * with its parent thread (setpriv), no core files, and at most `dataMb` of private writable memory. RLIMIT_DATA rather than RLIMIT_AS, because V8 reserves gigabytes of addresses that it never touches.
 */
export function runnerCommand(options: {
  /** What `runnerScript` gave. */
  script: string;
  guestPath: string;
  dataMb: number;
  netless: boolean;
}): RunnerCommand {
  const { script, guestPath } = options;
  const node = [
    process.execPath,
    "--no-node-snapshot",
    "--no-warnings",
    "--max-old-space-size=64",
    "--permission",
    "--allow-addons",
    ...readable(script, guestPath).map((path) => `--allow-fs-read=${path}`),
    script,
    guestPath,
  ];
  const words = process.platform === "linux" ? [...linuxLimits(options), ...node] : node;
  const [file = process.execPath, ...args] = words;
  return { file, args };
}

function linuxLimits({ dataMb, netless }: Readonly<{ dataMb: number; netless: boolean }>): string[] {
  const setpriv = findTool("setpriv");
  const prlimit = findTool("prlimit");
  return [
    ...(netless ? networkNamespace() : []),
    ...(setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL", "--no-new-privs", "--"]),
    ...(prlimit === undefined ? [] : [prlimit, `--data=${dataMb * 1024 * 1024}`, "--core=0", "--fsize=0", "--"]),
  ];
}

/** A user namespace comes with it, so that nobody has to be root; in it the process stays who it is. */
function networkNamespace(): string[] {
  const unshare = findTool("unshare");
  return unshare === undefined ? [] : [unshare, "--user", "--map-current-user", "--net", "--"];
}

/** Whether this system lets a process give up the network, which containers and hardened kernels often refuse. Tried once. */
export async function canCutNetwork(): Promise<boolean> {
  const [file, ...args] = process.platform === "linux" ? networkNamespace() : [];
  if (file === undefined) return false;
  return new Promise((resolve) => {
    execFile(file, [...args, process.execPath, "--version"], { timeout: 10_000 }, (error) => resolve(error === null));
  });
}

/** The runner's own code and isolated-vm with what loads it. */
function readable(script: string, guestPath: string): string[] {
  const require = createRequire(import.meta.url);
  const isolatedVm = dirname(require.resolve("isolated-vm"));
  const loader = dirname(createRequire(join(isolatedVm, "isolated-vm.js")).resolve("node-gyp-build"));
  // The loader asks for the last one to tell musl from glibc.
  return [script, guestPath, `${isolatedVm}${sep}`, `${loader}${sep}`, "/etc/alpine-release"];
}
