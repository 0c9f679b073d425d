import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { homePaths } from "../../home.ts";
import { guestBundles } from "../../sandbox/guest-bundle.ts";
import { canCutNetwork, runnerCommand } from "../../sandbox/runner-command.ts";
import { startRunner } from "../../sandbox/runner-process.ts";
import { serviceName } from "../service-files.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const megabyte = 1024 * 1024;
const runnerDataMb = 2_048;

export const nodeCheck: Check = {
  name: "Node",
  look() {
    const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
    if (major > 24 || (major === 24 && minor >= 12)) return ok(process.versions.node);
    return fail(`${process.versions.node} is too old`, "install Node 24.12 or newer, or run npm ci in the clone");
  },
};

export const diskCheck: Check = {
  name: "disk space",
  async look({ context: { home } }) {
    const { bavail, bsize } = await statfs(existsSync(home.root) ? home.root : dirname(home.root));
    const freeMb = Math.floor((bavail * bsize) / megabyte);
    const text = `${freeMb} MB free`;
    if (freeMb < 100) return fail(text, "make room: nothing new is accepted on a full disk");
    return freeMb < 1_000 ? warn(text, "make room, or lower retention in config.yaml") : ok(text);
  },
};

export const sandboxCheck: Check = {
  name: "sandbox",
  async look() {
    const cacheDir = await mkdtemp(join(tmpdir(), "jobrunner-doctor-"));
    try {
      const [guest] = await guestBundles(cacheDir);
      const netless = await canCutNetwork();
      const options = { dataMb: runnerDataMb, netless };
      const runner = startRunner({ ...options, guest, locale: "en-US", timezone: "UTC" });
      try {
        await runner.ready;
      } finally {
        await runner.kill();
      }
      const missing = missingWalls(runnerCommand({ ...options, guestPath: guest.path }));
      const walls = "a runner starts; process of its own, isolate, Node permissions";
      if (missing.length === 0) return ok(`${walls}, limits of the system, no network`);
      if (process.platform !== "linux") return ok(`${walls} (system limits exist on Linux only)`);
      return warn(`${walls}; missing: ${missing.join(", ")}`, wallAdvice(missing));
    } finally {
      await rm(cacheDir, { recursive: true, force: true });
    }
  },
};

const noNetwork = "no network for the runner's process (unshare)";

function wallAdvice(missing: readonly string[]): string {
  return missing.length === 1 && missing[0] === noNetwork
    ? "nothing has to be done: the isolate and Node's permissions stand; where the system allows user namespaces, this wall stands too"
    : "install util-linux (setpriv, prlimit, unshare)";
}

function missingWalls({ file, args }: { file: string; args: readonly string[] }): string[] {
  const words = [file, ...args];
  const wanted = [
    { word: /setpriv$/, wall: "no new privileges (setpriv)" },
    { word: /unshare$/, wall: noNetwork },
    { word: /prlimit$/, wall: "memory and file limits (prlimit)" },
    { word: /^--permission$/, wall: "Node permissions" },
  ];
  return wanted.filter(({ word }) => !words.some((each) => word.test(each))).map(({ wall }) => wall);
}

export const typesCheck: Check = {
  name: "type checker",
  async look() {
    const here = createRequire(import.meta.url);
    const inside = createRequire(here.resolve("typescript/package.json"));
    const folder = dirname(inside.resolve(`@typescript/typescript-${process.platform}-${process.arch}/package.json`));
    const path = join(folder, "lib", process.platform === "win32" ? "tsc.exe" : "tsc");
    const { stdout } = await promisify(execFile)(path, ["--version"], { timeout: 20_000 });
    return ok(stdout.trim());
  },
};

export const serviceCheck: Check = {
  name: "service",
  look({ context: { env, home: place } }) {
    const home = env.HOME ?? "";
    const folders = [
      join(env.XDG_CONFIG_HOME || join(home, ".config"), "systemd", "user"),
      "/etc/systemd/system",
      join(home, "Library", "LaunchAgents"),
    ];
    const name = serviceName(place.root, homePaths({}).root);
    const files = [`${name}.service`, `${name}.plist`];
    const found = folders.flatMap((folder) => files.map((file) => join(folder, file))).find(isFile);
    if (found !== undefined) return ok(found);
    return warn("none: after a reboot jobs wait until JobRunner is started", "jr service install");
  },
};

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
