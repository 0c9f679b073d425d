import { readFileSync, writeSync } from "node:fs";
import ivm from "isolated-vm";
import { splitGuestScripts } from "./guest-scripts.ts";
import { computeForGuest } from "./host-functions.ts";
import type { ChildMessage, ChildOutcome, ErrorText, ParentMessage } from "./protocol.ts";
import { warmUp } from "./warm-up.ts";

/*
 * A runner process: the only place where isolated-vm is loaded. It serves one run at a time, each in a fresh isolate
 * on this thread; the parent kills the process when a run goes on too long, so nothing here needs to stay responsive.
 * Argument: the path of the guest runtime's script.
 */

/** The first line of the bundle keeps its line number, and `columnOffset` its columns. */
const prefix = "(function (require, module, exports) {";

/** The pipe that the parent reads. */
const messagesFd = 4;

type Wanted = Readonly<{ timezone: string; memoryMb: number; zod: boolean }>;
type Entry = ivm.Reference<(...values: unknown[]) => unknown>;
type Guest = Readonly<{ isolate: ivm.Isolate; context: ivm.Context; start: Entry; deliver: Entry; status: Entry }>;
type Reply = ParentMessage & { type: "reply" };
type Live = Guest & { issued: number; replies: Reply[] };

const scripts = splitGuestScripts(readFileSync(process.argv[2] ?? "", "utf8"));
/** Without zod and with it, made when the first run wants it. */
const snapshots = new Map<boolean, ReturnType<typeof ivm.Isolate.createSnapshot>>();

let prepared: (Wanted & { guest: Guest }) | undefined;
let live: Live | undefined;

/**
 * Written at once and whole, one JSON text per line, on a pipe of its own: what a job said before it began to loop for
 * ever has arrived, and a flood waits for the parent to read instead of filling this process.
 */
function say(message: ChildMessage): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let at = 0; at < bytes.length; ) at += writeSync(messagesFd, bytes, at);
}

function snapshotWith(zod: boolean): ReturnType<typeof ivm.Isolate.createSnapshot> {
  const made = snapshots.get(zod);
  if (made !== undefined) return made;
  const codes = zod ? [scripts.zod, scripts.main] : [scripts.main];
  const snapshot = ivm.Isolate.createSnapshot(
    codes.map((code) => ({ code, filename: "jobrunner:runtime" })),
    warmUp,
  );
  snapshots.set(zod, snapshot);
  return snapshot;
}

/** A new isolate sees the time zone that holds while it is made. */
function prepare({ timezone, memoryMb, zod }: Wanted): Guest {
  if (prepared?.timezone === timezone && prepared.memoryMb === memoryMb && prepared.zod === zod) return prepared.guest;
  prepared?.guest.isolate.dispose();
  process.env.TZ = timezone;
  const snapshot = snapshotWith(zod);
  const isolate = new ivm.Isolate({ memoryLimit: memoryMb, snapshot, onCatastrophicError: outOfMemory });
  const guest = boot(isolate, isolate.createContextSync());
  prepared = { timezone, memoryMb, zod, guest };
  return guest;
}

const bootCode = `const boot = globalThis.__jobrunnerBoot; delete globalThis.__jobrunnerBoot; return boot($0, $1, $2, $3);`;

/** All of a start that does not depend on the job. */
function boot(isolate: ivm.Isolate, context: ivm.Context): Guest {
  const effect = new ivm.Callback((seq: number, op: string, argsJson: string) => {
    if (live !== undefined) live.issued = seq;
    say({ type: "effect", seq, op, argsJson });
  });
  const log = new ivm.Callback((n: number, level: "info", text: string, guestMs: number) =>
    say({ type: "log", n, level, text, guestMs }),
  );
  const limit = new ivm.Callback((name: string, errorJson: string) => {
    const error: ErrorText = JSON.parse(errorJson);
    say({ type: "done", outcome: { state: "limit_exceeded", limit: name, error } });
  });
  const compute = new ivm.Callback(computeForGuest);
  const entries = context.evalClosureSync(bootCode, [effect, log, limit, compute], { result: { reference: true } });
  const entry = (name: string): Entry => entries.getSync(name, { reference: true });
  return { isolate, context, start: entry("start"), deliver: entry("deliver"), status: entry("status") };
}

/** V8 cannot go on after this; the thread of the isolate must not return. */
function outOfMemory(): void {
  say({ type: "done", outcome: { state: "out_of_memory" } });
  process.exit(3);
}

function finish(outcome: ChildOutcome): void {
  if (live === undefined) return;
  const { isolate } = live;
  live = undefined;
  say({ type: "done", outcome });
  if (!isolate.isDisposed) isolate.dispose();
}

function start(message: ParentMessage & { type: "start" }): void {
  const { bundle, configJson } = message;
  const guest = prepare(message);
  prepared = undefined;
  live = { ...guest, issued: 0, replies: [] };
  enter(() => {
    const script = guest.isolate.compileScriptSync(`${prefix}${bundle}\n})`, {
      filename: "job.js",
      columnOffset: -prefix.length,
    });
    const evaluate = script.runSync(guest.context, { reference: true });
    guest.start.applySync(undefined, [configJson, evaluate.derefInto()]);
  });
}

/** Replies may be here before their calls: each waits until its call was issued, and until those before it were delivered. */
function deliver(reply: Reply): void {
  const current = live;
  if (current === undefined) return;
  current.replies.push(reply);
  for (let due = current.replies[0]; due !== undefined && due.seq <= current.issued; due = current.replies[0]) {
    current.replies.shift();
    const { seq, ok, json, guestMs } = due;
    enter(() => current.deliver.applySync(undefined, [seq, ok, json, guestMs]));
    if (live !== current) return;
  }
}

/** Runs one entry into the isolate; its microtasks are done when it returns, so its state can be read. */
function enter(run: () => void): void {
  const current = live;
  if (current === undefined) return;
  try {
    run();
    const status = current.status.applySync(undefined, []);
    if (typeof status === "string" && status !== "") finish(JSON.parse(status));
  } catch (thrown) {
    if (current.isolate.isDisposed) finish({ state: "out_of_memory" });
    else finish({ state: "failed", error: errorText(thrown) });
  }
}

/** Errors that reach this side are those of compiling and rejections that the job did not handle. */
function errorText(thrown: unknown): ErrorText {
  if (!(thrown instanceof Error)) return { name: "Error", message: String(thrown).slice(0, 4000), stack: "" };
  return {
    name: String(thrown.name).slice(0, 100),
    message: String(thrown.message).slice(0, 4000),
    stack: String(thrown.stack).slice(0, 16_000),
  };
}

process.on("message", (message: ParentMessage) => {
  switch (message.type) {
    case "prepare":
      prepare(message);
      return;
    case "start":
      start(message);
      return;
    case "ping":
      say({ type: "pong", n: message.n });
      return;
    case "reply":
      deliver(message);
      return;
    default:
      message satisfies never;
  }
});
process.on("disconnect", () => process.exit(0));
say({ type: "ready" });
