import { UserError } from "../errors.ts";
import { killGroup } from "./kill-group.ts";
import { spawnInGroup } from "./spawn-in-group.ts";

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
  /** Whether a program that puts out more is ended, or goes on with the rest dropped. */
  onTooMuch: "end" | "drop";
  signal: AbortSignal;
  /** Called with each piece of either output, as far as it is kept. */
  onOutput(piece: Buffer, stream: "stdout" | "stderr"): void;
}>;

export type ProcessEnd = Readonly<{
  code: number | null;
  signal: string | null;
  stdout: Buffer;
  stderr: Buffer;
  /** Whether output was dropped. */
  truncated: boolean;
}>;

/**
 * Runs a program in a process group of its own, and settles when it and all of its group are gone.
 * Throws `exec_failed`, `limit_exceeded`, and the signal's reason.
 */
export async function runProcess(order: ProcessOrder): Promise<ProcessEnd> {
  const { command, args, cwd, env, signal, maxBytes } = order;
  signal.throwIfAborted();
  const child = start(() => spawnInGroup({ command, args, cwd, env }), command);
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const timers: NodeJS.Timeout[] = [];
  let total = 0;

  function stop(): void {
    killGroup(child.pid, "SIGTERM");
    timers.push(setTimeout(() => killGroup(child.pid, "SIGKILL"), graceMs));
  }
  function keep(stream: "stdout" | "stderr", piece: Buffer): void {
    const before = total;
    total += piece.length;
    if (before > maxBytes) return;
    if (total > maxBytes && order.onTooMuch === "end") {
      stop();
      return;
    }
    const kept = piece.subarray(0, maxBytes - before);
    (stream === "stdout" ? stdout : stderr).push(kept);
    order.onOutput(kept, stream);
  }

  // Out of file descriptors, Node makes no pipes, and its error event would end the daemon if nobody listened.
  if (child.stdout === undefined) throw notStarted(command, await new Promise((done) => child.once("error", done)));
  child.stdout.on("data", (piece: Buffer) => keep("stdout", piece));
  child.stderr.on("data", (piece: Buffer) => keep("stderr", piece));
  // A program that does not read its input is no failure.
  child.stdin.on("error", () => {});
  child.stdin.end(order.stdin);
  signal.addEventListener("abort", stop, { once: true });
  try {
    const end = await new Promise<Pick<ProcessEnd, "code" | "signal">>((resolve, reject) => {
      child.once("error", (cause) => reject(notStarted(command, cause)));
      child.once("exit", () => {
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
    const truncated = total > maxBytes;
    if (truncated && order.onTooMuch === "end") {
      throw new UserError(
        "limit_exceeded",
        `${command} put out more than ${maxBytes} bytes and was ended; limits.responseBytes in defineJob raises that.`,
      );
    }
    return { ...end, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), truncated };
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
