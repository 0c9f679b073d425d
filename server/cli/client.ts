import { readFileSync } from "node:fs";
import { z } from "zod";
import { findDaemonInfo } from "../daemon/info.ts";
import { isHeldByWorker } from "../daemon/lock.ts";
import { DaemonFault, type ErrorCode, errorCodes, messageOf, UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { personCommand } from "../person-command.ts";
import type { CliContext } from "./context.ts";
import { until } from "./wait.ts";

/** The person's door, as commands use it. What the daemon answers is parsed with the schema; its errors come back as UserError. */
export type DaemonClient = Readonly<{
  url: string;
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  post<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T>;
  /** An answer of any length, however long it takes; to a POST where there is a body. */
  stream(path: string, body?: unknown): Promise<{ headers: Headers; body: AsyncIterable<Uint8Array> }>;
}>;

/** Longest wait for one answer; endpoints that wait on purpose stay below 50 s. */
const answerMs = 70_000;

/** What the daemon says of an error, in an answer of its own or at the end of one. */
export const problemSchema = z.object({
  code: z.string(),
  message: z.string(),
  next: z.string().nullish(),
  id: z.string().nullish(),
});

/** A daemon that has just begun to start says where it listens within this. */
const listenMs = 5_000;

/** Where the daemon of this home listens; undefined or empty where there is none. */
async function listeningAt(home: Home, signal: AbortSignal): Promise<string | undefined> {
  const starts = () => {
    const info = findDaemonInfo(home);
    return info?.role === "daemon" && info.url === "";
  };
  await until(() => !starts(), { everyMs: 20, withinMs: listenMs, signal });
  return findDaemonInfo(home)?.url;
}

/**
 * Finds the daemon of this home, or the one that JOBRUNNER_URL names (with its person's token in JOBRUNNER_TOKEN), such as one in a
 * container. Throws `daemon_down` where none has said where it listens.
 */
export async function connectDaemon(
  context: Pick<CliContext, "home" | "signal"> & Partial<Pick<CliContext, "env">>,
): Promise<DaemonClient> {
  const { home, signal, env = {} } = context;
  const url = env.JOBRUNNER_URL || (await listeningAt(home, signal));
  if (!url) throw isHeldByWorker(home) ? onlyWorker(home) : daemonDown(home);
  const authorization = () => `Bearer ${env.JOBRUNNER_TOKEN || readToken(home)}`;
  const call = async <T>(method: "GET" | "POST", path: string, body: unknown, schema: z.ZodType<T>): Promise<T> => {
    const response = await send(home, new URL(path, url), {
      method,
      headers: {
        authorization: authorization(),
        "content-type": "application/json",
        // A kept connection can be dead by the next call: opening a key blocks this process for seconds on a busy machine.
        connection: "close",
      },
      ...(method === "POST" ? { body: JSON.stringify(body ?? {}) } : {}),
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    });
    const text = await response.text();
    if (!response.ok) throw asError(response.status, text, home);
    return schema.parse(JSON.parse(text));
  };
  return {
    url,
    get: (path, schema) => call("GET", path, undefined, schema),
    post: (path, body, schema) => call("POST", path, body, schema),
    async stream(path, body) {
      const headers = { authorization: authorization(), "content-type": "application/json" };
      const post = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
      const response = await send(home, new URL(path, url), { headers, signal, ...post });
      if (!response.ok) throw asError(response.status, await response.text(), home);
      if (response.body === null) throw new Error(`The daemon answered ${path} with nothing.`);
      return { headers: response.headers, body: response.body };
    },
  };
}

/** The error of every command that needs a daemon. */
export function daemonDown(home: Home, cause?: unknown): UserError {
  return new UserError("daemon_down", `No daemon answers for ${home.root}.`, {
    next: personCommand(home, "start"),
    cause,
  });
}

function onlyWorker(home: Home): UserError {
  return new UserError("daemon_down", `${home.root} is the home of a worker, which answers no questions.`, {
    next: "ask where the daemon is, or set JOBRUNNER_URL and JOBRUNNER_TOKEN to the daemon's",
  });
}

function readToken(home: Home): string {
  try {
    return readFileSync(home.personToken, "utf8").trim();
  } catch (cause) {
    throw new UserError("unauthorized", `Cannot read your token ${home.personToken}: ${messageOf(cause)}.`, {
      next: `run this as the user that owns ${home.root}`,
      cause,
    });
  }
}

async function send(home: Home, url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    if (init.signal?.aborted && cause instanceof Error && cause.name === "AbortError") {
      throw new UserError("aborted", "Stopped.", { cause });
    }
    throw daemonDown(home, cause);
  }
}

function asError(status: number, text: string, home: Home): Error {
  const problem = problemSchema.safeParse(jsonOrUndefined(text));
  if (!problem.success) return new Error(`The daemon answered ${status}: ${text.slice(0, 300)}`);
  return toError(problem.data, home);
}

/** The error that the daemon told of. */
export function toError({ code, message, next, id }: z.infer<typeof problemSchema>, home: Home): Error {
  if (isErrorCode(code)) return new UserError(code, message, next ? { next } : {});
  return new DaemonFault(message, { id: id ?? "none", log: home.logs });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
