import { readFileSync } from "node:fs";
import { createConnection, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Home } from "../home.ts";
import { spawnDaemon } from "./spawn-daemon.ts";

/*
 * `jr mcp`: copies bytes between a host's stdio and the daemon's socket, and starts the daemon where none runs.
 * A host starts this for every session and waits for it, so it imports node's own modules and nothing else that is heavy.
 */

/** What the bridge works with; a CliContext fits. */
export type BridgeContext = Readonly<{
  env: NodeJS.ProcessEnv;
  home: Home;
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
  signal: AbortSignal;
}>;

/** A daemon gets this long to open its socket. */
const startMs = 15_000;
/** A socket that is not there costs next to nothing to look for, and the daemon answers those first who come at once. */
const knockMs = 15;
/** After our own child has ended, another bridge's may still be coming up: it held the lock. */
const afterExitMs = 3_000;

/** Serves one host until either side ends; resolves with the exit code. Whatever goes wrong is told on standard error. */
export async function runBridge(context: BridgeContext): Promise<number> {
  const socket = await connectOrStart(context);
  if (socket === undefined) return 1;
  const leaver = await copyBothWays(context, socket);
  // A host that keeps its end open would otherwise keep this process alive.
  context.stdin.destroy();
  if (leaver === "host") return 0;
  context.stderr.write(
    "jr mcp: the daemon closed the connection; reconnect to JobRunner in your host, which starts it again.\n",
  );
  return 1;
}

/** Copies with backpressure until the socket is closed; tells who left first. */
function copyBothWays({ stdin, stdout, signal }: BridgeContext, socket: Socket): Promise<"host" | "daemon"> {
  return new Promise((resolve) => {
    let leaver: "host" | "daemon" = "daemon";
    const hostGone = () => {
      leaver = "host";
      socket.destroy();
    };
    stdin.once("end", () => {
      leaver = "host";
    });
    // Half-closed at the host's end of input, so that answers under way still arrive.
    stdin.pipe(socket);
    socket.pipe(stdout, { end: false });
    stdin.once("error", hostGone);
    stdout.once("error", hostGone);
    stdout.once("close", hostGone);
    signal.addEventListener("abort", hostGone, { once: true });
    if (signal.aborted) hostGone();
    socket.once("end", () => socket.end());
    // Whatever broke it, `close` follows.
    socket.once("error", () => undefined);
    socket.once("close", () => {
      signal.removeEventListener("abort", hostGone);
      stdout.off("close", hostGone);
      if (stdout.writable) stdout.write("", () => resolve(leaver));
      else resolve(leaver);
    });
  });
}

async function connectOrStart(context: BridgeContext): Promise<Socket | undefined> {
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

function startDaemonProcess({ home, env, stderr }: BridgeContext) {
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
