import { DOMException } from "./dom-exception.ts";

/** The functions that the child process lends to the guest. They take and give strings and numbers only. */
export type Host = Readonly<{
  effect(seq: number, op: string, argsJson: string): void;
  log(n: number, level: string, text: string, guestMs: number): void;
  /** A limit was reached: the run ends here, whatever the job does next. */
  limit(limit: string, errorJson: string): void;
  /** Pure functions of the standard library, such as URL parsing. Gives "=result" or "!Name:message". */
  compute(op: string, a: string, b: string): string;
}>;

/** What the job sees as `run`. */
export type RunInfo = Readonly<{
  job: string;
  version: number;
  run: string;
  attempt: number;
  trigger: string;
  slot: string | null;
  event: Readonly<{ kind: string }> | null;
}>;

export type BootConfig = Readonly<{
  seed: string;
  startMs: number;
  logBytes: number;
  effects: number;
  inFlight: number;
  /** Whether the bundle is only asked for what it declares. */
  declare: boolean;
  inputJson: string | null;
  info: RunInfo;
}>;

let current: Host | undefined;

/** The host is set at boot, since the runtime itself is part of a snapshot made before. */
export function setHost(host: Host): void {
  current = host;
}

export function host(): Host {
  if (current === undefined) throw new Error("the sandbox is not started");
  return current;
}

/** Calls a pure function of the host; an error of the host is thrown as one of the guest. */
export function compute(op: string, a: string, b = ""): string {
  const answer = host().compute(op, a, b);
  if (answer[0] === "=") return answer.slice(1);
  const colon = answer.indexOf(":");
  const name = answer.slice(1, colon);
  const message = answer.slice(colon + 1);
  if (name === "TypeError") throw new TypeError(message);
  if (name === "RangeError") throw new RangeError(message);
  throw new DOMException(message, name);
}
