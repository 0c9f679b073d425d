import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { personCommand } from "../person-command.ts";
import { findDaemonInfo } from "./info.ts";

/** Long enough to outlast `isLocked` of another process, which holds the lock for an instant. */
const patienceMs = 250;
const sqliteBusy = 5;

/**
 * Takes the home folder for this process. The lock is the operating system's, through SQLite's file locks: the kernel frees
 * it when the process dies, however it dies, and nobody can take it from a live one. Throws `daemon_running` with its pid.
 */
export function lockHome(home: Home): Disposable {
  const database = tryLock(home.lock);
  if (database !== undefined) return { [Symbol.dispose]: () => database.close() };
  throw homeIsHeld(home);
}

/** The error of whatever wants a home folder that another process holds. */
export function homeIsHeld(home: Home): UserError {
  const { pid, role = "daemon" } = findDaemonInfo(home) ?? {};
  const stop = personCommand(home, "stop");
  return new UserError(
    "daemon_running",
    `Another ${role}${pid === undefined ? "" : ` (pid ${pid})`} holds the home folder ${home.root}.`,
    { next: role === "worker" ? stop : `${personCommand(home, "status")}, or ${stop}` },
  );
}

/** Whether a live worker holds the home folder: no daemon can, and commands have nobody to ask. */
export function isHeldByWorker(home: Home): boolean {
  return findDaemonInfo(home)?.role === "worker" && isLocked(home);
}

/** Whether a live process holds the home folder. */
export function isLocked(home: Home): boolean {
  if (!existsSync(home.lock)) return false;
  const database = tryLock(home.lock);
  database?.close();
  return database === undefined;
}

/** The open database that holds the lock, or undefined where another process does. */
function tryLock(path: string): DatabaseSync | undefined {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path, { timeout: patienceMs });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
}
