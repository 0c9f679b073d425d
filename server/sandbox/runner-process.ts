import { type ChildProcess, spawn } from "node:child_process";
import { Readable } from "node:stream";
import type { GuestBundle } from "./guest-bundle.ts";
import { type ChildMessage, maxMessageBytes, type ParentMessage, parseChildMessage } from "./protocol.ts";
import { readLines } from "./read-lines.ts";
import { runnerCommand } from "./runner-command.ts";

/** How a process ended that we did not ask to end. */
export type RunnerExit = Readonly<{ code: number | null; signal: string | null; stderr: string }>;

/** Whoever uses the runner at the moment. */
export type RunnerClient = Readonly<{
  onMessage(message: ChildMessage): void;
  onForgery(): void;
  onExit(exit: RunnerExit): void;
}>;

/** One runner process. It belongs to one bundle for good as soon as it has served it. */
export type Runner = Readonly<{
  pid: number;
  /** Version of the guest runtime that it was started with. */
  guestRuntime: string;
  locale: string;
  dataMb: number;
  ready: Promise<void>;
  bundleHash(): string | null;
  bind(bundleHash: string): void;
  isAlive(): boolean;
  send(message: ParentMessage): void;
  attach(client: RunnerClient | undefined): void;
  /** Kills it at once; settles when it is gone. */
  kill(): Promise<void>;
}>;

const maxStderr = 8_192;
/** Many times what a start takes on a machine that is very busy. */
const longestStartMs = 60_000;

/** LC_ALL wants the POSIX form; ICU takes the default locale from it even where the system does not know it. */
function posixLocale(locale: string): string {
  return `${locale.replaceAll("-", "_")}.UTF-8`;
}

export type RunnerOptions = Readonly<{
  script: string;
  guest: GuestBundle;
  locale: string;
  timezone: string;
  dataMb: number;
  netless: boolean;
  /** It is killed where it is not ready by then. */
  startMs?: number;
}>;

export function startRunner(options: RunnerOptions): Runner {
  const { script, guest, locale, timezone, dataMb, netless, startMs = longestStartMs } = options;
  const command = runnerCommand({ script, guestPath: guest.path, dataMb, netless });
  const child = spawn(command.file, command.args, {
    // 3 brings our messages, 4 takes the runner's: see child.ts.
    stdio: ["ignore", "ignore", "pipe", "ipc", "pipe"],
    env: { TZ: timezone, LC_ALL: posixLocale(locale) },
    cwd: "/",
    windowsHide: true,
  });
  const ready = Promise.withResolvers<void>();
  const late = setTimeout(() => {
    child.kill("SIGKILL");
    onEnd(null, "SIGKILL", ` it was not ready after ${startMs / 1_000} s`);
  }, startMs).unref();
  const gone = Promise.withResolvers<void>();
  // A runner that dies while nobody waits for it is no error of anyone.
  ready.promise.catch(() => {}).finally(() => clearTimeout(late));
  let client: RunnerClient | undefined;
  let bound: string | null = null;
  let alive = true;
  const stderr = collectStderr(child);

  const onEnd = (code: number | null, signal: string | null, problem = "") => {
    if (!alive) return;
    alive = false;
    const exit: RunnerExit = { code, signal, stderr: `${stderr()}${problem}` };
    ready.reject(new Error(`a runner process ended while it started: ${signal ?? code} ${exit.stderr}`.trim()));
    client?.onExit(exit);
    gone.resolve();
  };
  child.on("close", (code, signal) => onEnd(code, signal));
  child.on("error", (error) => onEnd(null, null, error.message));
  const onLine = (line: string | undefined) => {
    const message = line === undefined ? undefined : parseChildMessage(line);
    if (message === undefined) client?.onForgery();
    else if (message.type === "ready") ready.resolve();
    else client?.onMessage(message);
  };
  const messages = child.stdio[4];
  if (messages instanceof Readable) readLines(messages, maxMessageBytes, onLine);
  // Nothing is expected on this channel: it only carries ours.
  child.on("message", () => client?.onForgery());

  return {
    pid: child.pid ?? 0,
    guestRuntime: guest.version,
    locale,
    dataMb,
    ready: ready.promise,
    bundleHash: () => bound,
    bind(bundleHash) {
      bound = bundleHash;
    },
    isAlive: () => alive,
    send(message) {
      // Writing to a runner that has just died fails; its exit is what counts.
      if (alive && child.connected) child.send(message, () => {});
    },
    attach(next) {
      client = next;
    },
    kill() {
      child.kill("SIGKILL");
      return gone.promise;
    },
  };
}

/** Keeps the beginning: V8 says first what went wrong, then prints its stacks. */
function collectStderr(child: ChildProcess): () => string {
  let text = "";
  child.stderr?.setEncoding("utf8");
  child.stderr?.on("data", (chunk: string) => {
    if (text.length < maxStderr) text += chunk.slice(0, maxStderr - text.length);
  });
  return () => text;
}
