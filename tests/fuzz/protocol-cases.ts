import { Readable } from "node:stream";
import fc from "fast-check";
import { type ChildMessage, maxMessageBytes, parseChildMessage } from "../../server/sandbox/protocol.ts";
import { readLines } from "../../server/sandbox/read-lines.ts";
import type { Runner, RunnerClient } from "../../server/sandbox/runner-process.ts";
import { type ServedOutcome, serveRun } from "../../server/sandbox/serve-run.ts";

/*
 * A runner that says anything: right messages, wrong ones, in any order, whole or cut, and then dies. Whatever it says, the parent
 * ends the run with an outcome that it knows, answers no call twice and none that was not made, and takes no more than the limits.
 */

const limits = {
  timeoutMs: 60_000,
  cpuMs: 60_000,
  memoryMb: 64,
  logBytes: 300,
  effects: 6,
  inFlight: 3,
} as const;

const number = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 8 }) },
  fc.constantFrom(0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER, 2 ** 53, -0),
);
const text = fc.oneof(fc.string({ maxLength: 40 }), fc.constantFrom("", "\0", "\ud800", "x".repeat(400), "__proto__"));
const error = fc.record({ name: text, message: text, stack: text });
const outcome = fc.oneof(
  fc.record({ state: fc.constant("succeeded"), outputJson: fc.option(text) }),
  fc.record({ state: fc.constant("failed"), error }),
  fc.record({ state: fc.constant("limit_exceeded"), limit: text, error }),
  fc.record({ state: fc.constantFrom("out_of_memory", "crashed", "cancelled", "fine") }),
);
const known = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("effect"), seq: number, op: text, argsJson: text }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("log"),
      n: number,
      level: fc.constantFrom("debug", "info", "warn", "error", "loud"),
      text,
      guestMs: number,
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("pong"), n: number }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("done"), outcome }) },
  { weight: 1, arbitrary: fc.constant({ type: "ready" }) },
);
/** Effects and log lines in their right order, so that what comes after them is reached too. */
const inOrder = fc.array(fc.constantFrom("effect", "log"), { maxLength: 6 }).map((kinds) => {
  const count = { effect: 0, log: 0 };
  return kinds.map((kind) => {
    const n = kind === "effect" ? ++count.effect : ++count.log;
    return kind === "effect"
      ? { type: "effect", seq: n, op: "kv.get", argsJson: "{}" }
      : { type: "log", n, level: "info", text: "line", guestMs: n };
  });
});
const line = fc.oneof(
  { weight: 8, arbitrary: known.map((message) => JSON.stringify(message)) },
  fc.tuple(known, fc.nat({ max: 60 })).map(([message, at]) => JSON.stringify(message).slice(0, at)),
  fc.tuple(known, fc.jsonValue()).map(([message, more]) => JSON.stringify({ ...message, more })),
  fc.json({ maxDepth: 3 }),
  fc.string({ maxLength: 80 }).map((each) => each.replaceAll("\n", "")),
);
/** What it says, how the bytes are cut into pieces, and how it ends if nothing else ends it. */
export const conversation = fc.record({
  opening: inOrder,
  lines: fc.array(line, { maxLength: 12 }),
  pieces: fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 }),
  exit: fc.record({
    code: fc.option(fc.integer({ min: 0, max: 255 })),
    signal: fc.constantFrom(null, "SIGKILL", "SIGSEGV"),
    stderr: text,
  }),
  answers: fc.constantFrom<"once" | "twice" | "never">("once", "twice", "never"),
});

export type Conversation = typeof conversation extends fc.Arbitrary<infer T> ? T : never;

const outcomes = ["succeeded", "failed", "limit_exceeded", "out_of_memory", "timed_out", "crashed", "cancelled"];

/** Plays a conversation against the parent's side. Throws where it breaks a promise. */
export async function converse({
  opening,
  lines,
  pieces,
  exit,
  answers,
}: Conversation): Promise<ServedOutcome["state"]> {
  let client: RunnerClient | undefined;
  let killed = false;
  const sent: number[] = [];
  const asked: number[] = [];
  let logged = 0;
  const runner: Runner = {
    pid: 0,
    guestRuntime: "fuzz",
    locale: "en-US",
    dataMb: 0,
    ready: Promise.resolve(),
    bundleHash: () => null,
    bind: () => {},
    isAlive: () => !killed,
    send(message) {
      if (message.type === "reply") sent.push(message.seq);
    },
    attach(next) {
      client = next;
    },
    async kill() {
      killed = true;
    },
  };
  const served = serveRun(runner, {
    bundle: "",
    configJson: "{}",
    timezone: "UTC",
    zod: false,
    limits,
    onStart: async () => {},
    recorded: [],
    async onEffect({ seq }, deliver) {
      asked.push(seq);
      const reply = { ok: true, json: "null", guestMs: 1 };
      if (answers !== "never") deliver(reply);
      if (answers === "twice") deliver(reply);
    },
    onQuiet: () => {},
    onLog(entry) {
      logged += entry.text.length;
    },
    signal: new AbortController().signal,
  });
  const said = Buffer.from([...opening.map((message) => JSON.stringify(message)), ...lines, ""].join("\n"));
  await speak(said, pieces, (message) => {
    if (message === undefined) client?.onForgery();
    else if (message.type !== "ready") client?.onMessage(message);
  });
  client?.onExit(exit);
  const { state } = await served;
  if (!outcomes.includes(state)) throw new Error(`an outcome that nobody knows: ${state}`);
  if (logged > limits.logBytes) throw new Error(`${logged} characters of log were taken`);
  if (asked.length > limits.effects) throw new Error(`${asked.length} calls were served`);
  if (asked.some((seq, i) => seq !== i + 1)) throw new Error(`calls out of order were served: ${asked}`);
  if (new Set(sent).size !== sent.length) throw new Error(`a call was answered twice: ${sent}`);
  if (sent.some((seq) => !asked.includes(seq))) throw new Error(`a call that nobody made was answered: ${sent}`);
  if (!["succeeded", "failed"].includes(state) && !killed) throw new Error(`the runner lives on after ${state}`);
  return state;
}

/** The bytes in pieces, through the reader of lines and the parser, as from a runner's pipe. */
async function speak(
  said: Buffer,
  pieces: readonly number[],
  onMessage: (message: ChildMessage | undefined) => void,
): Promise<void> {
  const stream = new Readable({ read() {} });
  const ended = new Promise((resolve) => stream.once("end", resolve));
  readLines(stream, maxMessageBytes, (text) => onMessage(text === undefined ? undefined : parseChildMessage(text)));
  for (let at = 0, i = 0; at < said.length; i++) {
    const size = pieces[i % pieces.length] ?? 1;
    stream.push(said.subarray(at, at + size));
    at += size;
  }
  stream.push(null);
  await ended;
}
