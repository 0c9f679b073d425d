import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { isHeldByWorker } from "../../daemon/lock.ts";
import { homePaths } from "../../home.ts";
import { silentLog } from "../../log.ts";
import { createPool } from "../../sandbox/pool.ts";
import { findWalls } from "../../sandbox/walls.ts";
import { serviceName } from "../service-files.ts";
import { type Check, fail, ok, warn } from "./check.ts";

const megabyte = 1024 * 1024;

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
      await using pool = await createPool({ max: 1, warm: 0, log: silentLog, cacheDir });
      const walls = await findWalls(pool);
      const named = (stands: boolean) => walls.filter((wall) => wall.stands === stands).map(({ name }) => name);
      const [standing, missing] = [named(true), named(false)];
      const text = `a process of its own; ${standing.join("; ")}`;
      if (missing.length === 0) return ok(text);
      return warn(`${text}. Missing: ${missing.join("; ")}`, wallAdvice(missing));
    } finally {
      await rm(cacheDir, { recursive: true, force: true });
    }
  },
};

function wallAdvice(missing: readonly string[]): string {
  if (process.platform !== "linux") return "nothing can be done here: these walls exist on Linux only";
  return missing.every((name) => name.startsWith("no network"))
    ? "nothing has to be done: the other walls stand; where the system allows user namespaces, this one stands too"
    : "install util-linux (setpriv, prlimit, unshare)";
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
    const install = isHeldByWorker(place) ? "jr service install --worker" : "jr service install";
    return warn("none: after a reboot jobs wait until JobRunner is started", install);
  },
};

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
