import { z } from "zod";

/*
 * Messages between the parent and a runner process. What a runner says is not trusted: anything that does not fit
 * kills the runner and crashes its run alone.
 */

/** Longest line that a runner may send; the guest refuses larger calls before they get here. */
export const maxMessageBytes = 120_000_000;
const maxArgsChars = 90_000_000;

const text = (limit: number) => z.string().max(limit);
const counter = z.int().positive();

const errorText = z.strictObject({
  name: text(200),
  message: text(8_000),
  stack: text(32_000),
  code: text(100).optional(),
  permanent: z.boolean().optional(),
});

const doneMessage = z.strictObject({
  type: z.literal("done"),
  outcome: z.discriminatedUnion("state", [
    z.strictObject({ state: z.literal("succeeded"), outputJson: text(2_000_000).nullable() }),
    z.strictObject({ state: z.literal("failed"), error: errorText }),
    z.strictObject({ state: z.literal("limit_exceeded"), limit: text(100), error: errorText }),
    z.strictObject({ state: z.literal("out_of_memory") }),
  ]),
});

const childMessage = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ready") }),
  z.strictObject({ type: z.literal("effect"), seq: counter, op: text(100), argsJson: text(maxArgsChars) }),
  z.strictObject({
    type: z.literal("log"),
    n: counter,
    level: z.enum(["debug", "info", "warn", "error"]),
    text: text(100_000),
    guestMs: z.number(),
  }),
  z.strictObject({ type: z.literal("pong"), n: counter }),
  doneMessage,
]);

/** Something that a runner tells. */
export type ChildMessage = z.infer<typeof childMessage>;
export type ChildOutcome = z.infer<typeof doneMessage>["outcome"];
export type ErrorText = z.infer<typeof errorText>;

/**
 * What the parent asks of a runner: one `start` at a time, then a `reply` per effect, in order of delivery; one that comes before its
 * call waits for it. A `ping` is answered when the isolate is quiet.
 */
export type ParentMessage =
  | Readonly<{ type: "prepare"; timezone: string; memoryMb: number; zod: boolean }>
  | Readonly<{
      type: "start";
      timezone: string;
      memoryMb: number;
      /** Whether zod is there. */
      zod: boolean;
      bundle: string;
      configJson: string;
    }>
  | Readonly<{ type: "ping"; n: number }>
  | Readonly<{ type: "reply"; seq: number; ok: boolean; json: string; guestMs: number }>;

/** Undefined where the message is none of ours. */
export function parseChildMessage(line: string): ChildMessage | undefined {
  try {
    const parsed = childMessage.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
