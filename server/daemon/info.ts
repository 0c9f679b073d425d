import { readFileSync, rmSync } from "node:fs";
import { z } from "zod";
import type { Home } from "../home.ts";
import { replaceFile } from "../private-file.ts";

const daemonInfo = z.object({
  /** A worker holds its home folder as a daemon does, but has no doors. */
  role: z.enum(["daemon", "worker"]).default("daemon"),
  pid: z.int().positive(),
  started_at: z.string(),
  version: z.string(),
  socket: z.string(),
  /** Of the HTTP door; empty while it does not listen yet. */
  url: z.string(),
  store: z.string(),
});

/** What a daemon (or a worker) says of itself in `daemon.json`. Whether it still lives is told by the lock, not by this file. */
export type DaemonInfo = z.infer<typeof daemonInfo>;

/** Undefined where there is no such file, or none that makes sense. */
export function findDaemonInfo(home: Home): DaemonInfo | undefined {
  try {
    return daemonInfo.parse(JSON.parse(readFileSync(home.info, "utf8")));
  } catch {
    return undefined;
  }
}

/** Replaces `daemon.json`. */
export function writeDaemonInfo(home: Home, info: DaemonInfo): void {
  replaceFile(home.info, `${JSON.stringify(info, null, 2)}\n`);
}

/** Removes `daemon.json` at a clean end. */
export function removeDaemonInfo(home: Home): void {
  rmSync(home.info, { force: true });
}
