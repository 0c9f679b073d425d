import type { ChildProcessWithoutNullStreams } from "node:child_process";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { type JSONRPCMessage, JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import { killGroup } from "../../effects/kill-group.ts";
import { spawnInGroup } from "../../effects/spawn-in-group.ts";
import { splitLines } from "../../split-lines.ts";

/** A server that closes its input by itself has this long to end, then it is told to, then it is killed. */
const graceMs = 1_000;
const maxMessageBytes = 8 * 1024 * 1024;
const keptStderr = 4_000;

export type ChildOrder = Readonly<{
  command: string;
  args: readonly string[];
  /** Its whole environment. */
  env: Readonly<Record<string, string>>;
  cwd: string;
}>;

export type ChildTransport = Transport &
  Readonly<{
    /** The end of what it wrote to standard error. */
    stderr(): string;
    /** How it ended, in words; undefined while it lives. */
    ended(): string | undefined;
    /** Resolves once it and all of its process group are gone. */
    gone: Promise<void>;
  }>;

/** An MCP server as a child in a process group of its own, newline-delimited JSON-RPC on its pipes. Lines that are no JSON-RPC are passed over. */
export function childTransport({ command, args, env, cwd }: ChildOrder): ChildTransport {
  const gone = Promise.withResolvers<void>();
  const timers: NodeJS.Timeout[] = [];
  let child: ChildProcessWithoutNullStreams | undefined;
  let stderr = "";
  let ended: string | undefined;

  const end = (why: string) => {
    if (ended !== undefined) return;
    ended = why;
    for (const timer of timers) clearTimeout(timer);
    killGroup(child?.pid, "SIGKILL");
    gone.resolve();
    transport.onclose?.();
  };
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const started = spawnInGroup({ command, args, cwd, env });
      child = started;
      started.once("error", (error) => {
        end(`it could not be started: ${error.message}`);
        reject(error);
      });
      started.once("spawn", resolve);
      started.once("exit", (code, signal) => end(signal === null ? `exit code ${code}` : `ended by ${signal}`));
      // Out of file descriptors, Node makes no pipes; the error event tells.
      if (started.stdout === undefined) return;
      started.stdout.on(
        "data",
        splitLines({
          maxBytes: maxMessageBytes,
          onLine: (line) => {
            const message = readMessage(line);
            if (message !== undefined) transport.onmessage?.(message);
          },
          onTooLong: () => {
            end(`it sent a message of more than ${maxMessageBytes / 1024 / 1024} MiB`);
          },
        }),
      );
      started.stderr.on("data", (piece: Buffer) => {
        stderr = `${stderr}${piece.toString("utf8")}`.slice(-keptStderr);
      });
      for (const stream of [started.stdin, started.stdout, started.stderr]) stream.on("error", () => {});
    });

  const transport: ChildTransport = {
    start,
    send: (message) =>
      new Promise((resolve, reject) => {
        if (child === undefined || ended !== undefined) return reject(new Error(`The server has ended: ${ended}.`));
        child.stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()));
      }),
    async close() {
      if (child === undefined || ended !== undefined) return;
      const { pid } = child;
      child.stdin.end();
      timers.push(
        setTimeout(() => killGroup(pid, "SIGTERM"), graceMs),
        setTimeout(() => end("killed, since it did not end"), 2 * graceMs),
      );
      await gone.promise;
    },
    stderr: () => stderr.trim(),
    ended: () => ended,
    gone: gone.promise,
  };
  return transport;
}

function readMessage(line: string): JSONRPCMessage | undefined {
  try {
    return JSONRPCMessageSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
