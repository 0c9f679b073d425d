import { z } from "zod";

/** Where the answer to an effect came from. What nothing could answer is `unknown`, and was not performed. */
export const answerSources = ["mock", "record", "own", "unknown"] as const;

const rehearsedEffect = z.object({
  seq: z.int(),
  op: z.string(),
  /** The arguments, folded for display. */
  argsText: z.string(),
  answeredBy: z.enum(answerSources),
  /** What the job was told instead of a result. */
  error: z.string().optional(),
});

/** What a version did while nothing happened, as plain JSON. Every text in it is foreign. */
export const rehearsalReportSchema = z.object({
  /** As a run ends; `not_rehearsed` where it did not come to that. */
  state: z.enum([
    "succeeded",
    "failed",
    "timed_out",
    "out_of_memory",
    "crashed",
    "limit_exceeded",
    "cancelled",
    "not_rehearsed",
  ]),
  /** The first ones, in order of issue. */
  effects: z.array(rehearsedEffect),
  /** How many there were in all. */
  effectCount: z.int(),
  /** Order of issue of the first effect that nothing could answer; what comes after it may differ in a real run. */
  unknownFrom: z.int().nullable(),
  /** The first lines. */
  log: z.array(z.object({ level: z.enum(["debug", "info", "warn", "error"]), text: z.string() })),
  logCount: z.int(),
  /** JSON, folded; null where it returned nothing or did not end well. */
  output: z.string().nullable(),
  /** Why it did not succeed, with its place in the source where it has one. */
  error: z.string().nullable(),
});

export type RehearsalReport = z.infer<typeof rehearsalReportSchema>;
export type RehearsedEffect = z.infer<typeof rehearsedEffect>;
export type AnswerSource = RehearsedEffect["answeredBy"];

/** The report of a rehearsal that could not begin. */
export function notRehearsed(why: string): RehearsalReport {
  return {
    state: "not_rehearsed",
    effects: [],
    effectCount: 0,
    unknownFrom: null,
    log: [],
    logCount: 0,
    output: null,
    error: why,
  };
}

/** Whether it went wrong for a reason of its own, and not for want of an answer. */
export function failsByItself({ state, unknownFrom }: RehearsalReport): boolean {
  return unknownFrom === null && state !== "succeeded" && state !== "cancelled" && state !== "not_rehearsed";
}
