import { readFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import type { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Home } from "../home.ts";
import { spawnDaemon } from "./spawn-daemon.ts";

export type ConnectContext = Readonly<{ env: NodeJS.ProcessEnv; home: Home; stderr: Writable; signal: AbortSignal }>;

/** A daemon gets this long to open its socket. */
const startMs = 15_000;
/** A socket that is not there costs next to nothing to look for, and the daemon answers those first who come at once. */
const knockMs = 15;
/** After our own child has ended, another bridge's may still be coming up: it held the lock. */
const afterExitMs = 3_000;

/** The socket of a daemon that somebody else starts, if that happens in time. */
export async function awaitSocket({ home, signal }: ConnectContext, deadline: number): Promise<Socket | undefined> {
  for (;;) {
    const socket = await tryConnect(home.socket);
    if (socket !== undefined || Date.now() >= deadline || signal.aborted) return socket;
    await delay(knockMs, undefined, { signal }).catch(() => undefined);
  }
}

/** The socket of the daemon, which is started where none runs. Undefined, and told on standard error, where it does not come up. */
export async function connectOrStart(context: ConnectContext): Promise<Socket | undefined> {
  const { home, stderr, signal } = context;
  const running = await tryConnect(home.socket);
  if (running !== undefined) return running;
  stderr.write("jr mcp: no daemon answers, starting one\n");
  const child = startDaemonProcess(context);
  let deadline = Date.now() + startMs;
  child.onEnd(() => {
    deadline = Math.min(deadline, Date.now() + afterExitMs);
  });
  while (Date.now() < deadline && !signal.aborted) {
    await delay(knockMs, undefined, { signal }).catch(() => undefined);
    const socket = await tryConnect(home.socket);
    if (socket === undefined) continue;
    child.release();
    return socket;
  }
  child.release();
  stderr.write(`jr mcp: the daemon did not start (${home.root}).\n${lastLines(child.logFile)}`);
  stderr.write(`next: ${home.launcher} doctor\n`);
  return undefined;
}

/** The socket, or undefined where nobody listens. */
function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ path, allowHalfOpen: true });
    const onError = () => resolve(undefined);
    socket.once("error", onError);
    socket.once("connect", () => {
      socket.off("error", onError);
      resolve(socket);
    });
  });
}

function startDaemonProcess({ home, env, stderr }: ConnectContext) {
  const ends: (() => void)[] = [];
  const { child, logFile } = spawnDaemon(home, env);
  child.once("error", (error) => {
    stderr.write(`jr mcp: cannot start the daemon: ${error.message}\n`);
    for (const end of ends) end();
  });
  child.once("exit", () => {
    for (const end of ends) end();
  });
  return {
    logFile,
    onEnd: (callback: () => void) => {
      ends.push(callback);
    },
    release: () => child.unref(),
  };
}

function lastLines(file: string): string {
  try {
    const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-8);
    return lines.map((line) => `  ${line}\n`).join("");
  } catch {
    return "";
  }
}
