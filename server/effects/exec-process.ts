import { type ChildProcess, spawn } from "node:child_process";
import { UserError } from "../errors.ts";

/** From SIGTERM to SIGKILL. */
const graceMs = 2_000;
/** How long output may take once the whole group is dead; only a process that left the group still holds it. */
const drainMs = 1_000;

export type ProcessOrder = Readonly<{
  command: string;
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  stdin: Buffer;
  /** Most bytes of both outputs together. */
  maxBytes: number;
  signal: AbortSignal;
  /** Called with each piece of either output. */
  onOutput(piece: Buffer): void;
}>;

export type ProcessEnd = Readonly<{ code: number | null; signal: string | null; stdout: Buffer; stderr: Buffer }>;

/**
 * Runs a program in a process group of its own, and settles when it and all of its group are gone.
 * Throws `exec_failed`, `limit_exceeded`, and the signal's reason.
 */
export async function runProcess(order: ProcessOrder): Promise<ProcessEnd> {
  const { command, args, cwd, env, signal, maxBytes } = order;
  signal.throwIfAborted();
  const child = start(
    () => spawn(command, [...args], { cwd, env: { ...env }, detached: true, windowsHide: true }),
    command,
  );
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const timers: NodeJS.Timeout[] = [];
  let total = 0;

  function stop(): void {
    killGroup(child, "SIGTERM");
    timers.push(setTimeout(() => killGroup(child, "SIGKILL"), graceMs));
  }
  function keep(kept: Buffer[], piece: Buffer): void {
    const before = total;
    total += piece.length;
    if (before > maxBytes) return;
    if (total > maxBytes) {
      stop();
      return;
    }
    kept.push(piece);
    order.onOutput(piece);
  }

  // Out of file descriptors, Node makes no pipes, and its error event would end the daemon if nobody listened.
  if (child.stdout === undefined) throw notStarted(command, await new Promise((done) => child.once("error", done)));
  child.stdout.on("data", (piece: Buffer) => keep(stdout, piece));
  child.stderr.on("data", (piece: Buffer) => keep(stderr, piece));
  // A program that does not read its input is no failure.
  child.stdin.on("error", () => {});
  child.stdin.end(order.stdin);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const end = await new Promise<Pick<ProcessEnd, "code" | "signal">>((resolve, reject) => {
      child.once("error", (cause) => reject(notStarted(command, cause)));
      child.once("exit", () => {
        killGroup(child, "SIGKILL");
        timers.push(
          setTimeout(() => {
            child.stdout.destroy();
            child.stderr.destroy();
          }, drainMs),
        );
      });
      child.once("close", (code, ended) => resolve({ code, signal: ended }));
    });
    signal.throwIfAborted();
    if (total > maxBytes) {
      throw new UserError(
        "limit_exceeded",
        `${command} put out more than ${maxBytes} bytes and was ended; limits.responseBytes in defineJob raises that.`,
      );
    }
    return { ...end, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
  } finally {
    signal.removeEventListener("abort", stop);
    for (const timer of timers) clearTimeout(timer);
  }
}

function start<T>(spawned: () => T, command: string): T {
  try {
    return spawned();
  } catch (cause) {
    throw notStarted(command, cause);
  }
}

function notStarted(command: string, cause: unknown): UserError {
  const why = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
  return new UserError("exec_failed", `${command} could not be started${why}.`, { cause });
}

function killGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    // Windows has no groups.
    process.kill(process.platform === "win32" ? pid : -pid, signal);
  } catch {
    // Nobody is left.
  }
}
