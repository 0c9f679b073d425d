import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A throw-away PostgreSQL of this machine's own binaries. */
export type Cluster = Readonly<{
  url: string;
  pid(): number;
  stop(): void;
  restart(): void;
  /** Ends it as a crash does, until `up`. */
  down(): void;
  up(): void;
}>;

/**
 * Starts a cluster on a free loopback port, as user `postgres` or `nobody` when we are root; undefined where no server is installed.
 * `unsynced` is quicker, and loses nothing but where the machine itself dies.
 */
export async function startCluster({ unsynced = false } = {}): Promise<Cluster | undefined> {
  const bin = findBinaries();
  if (!bin) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-pg-"));
  chmodSync(folder, 0o777);
  const data = join(folder, "data");
  const port = await freePort();
  const sync = unsynced ? "-c fsync=off" : "";
  const settings = `-p ${port} -k ${folder} -c listen_addresses=127.0.0.1 -c max_connections=200 ${sync}`;
  const run = (program: string, ...args: string[]) => runAsOther(join(bin, program), args);
  run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8", "--locale", "C");
  const start = () => run("pg_ctl", "-D", data, "-w", "-s", "-l", join(folder, "log"), "-o", settings, "start");
  const down = () => run("pg_ctl", "-D", data, "-m", "immediate", "-w", "-s", "stop");
  start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    pid: () => Number.parseInt(readFileSync(join(data, "postmaster.pid"), "utf8"), 10),
    stop() {
      run("pg_ctl", "-D", data, "-m", "immediate", "-w", "-s", "stop");
      rmSync(folder, { recursive: true, force: true });
    },
    restart() {
      down();
      start();
    },
    down,
    up: start,
  };
}

function findBinaries(): string | undefined {
  const root = "/usr/lib/postgresql";
  const installed = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return installed.map((version) => join(root, version, "bin")).find((bin) => existsSync(join(bin, "initdb")));
}

/** PostgreSQL refuses to run as root. */
function runAsOther(program: string, args: string[]): void {
  const root = process.getuid?.() === 0;
  const [file, rest] = root
    ? ["setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program, ...args]]
    : [program, args];
  execFileSync(file, rest, { stdio: ["ignore", "ignore", "pipe"], cwd: "/" });
}

/** A loopback port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
