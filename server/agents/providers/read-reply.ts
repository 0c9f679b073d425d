import { z } from "zod";
import { findJson, parseLeniently } from "./find-json.ts";
import type { ToolCall } from "./types.ts";

const callArguments = z.preprocess(
  (given) => (typeof given === "string" ? parseLeniently(given) : (given ?? {})),
  z.record(z.string(), z.unknown()),
);
const calling = z.looseObject({
  tool_calls: z.array(z.looseObject({ name: z.string(), arguments: callArguments.optional() })).min(1),
});
const ending = z.looseObject({ final_answer: z.union([z.string(), z.json()]) });

/** What a reply says in the form that renderPrompt asks for. */
export type ReadReply = Readonly<{ calls: readonly Omit<ToolCall, "id">[] } | { final: string }>;

/**
 * Reads a reply, bare, fenced or with prose around it; undefined where it keeps to no form. Calls win over an answer beside
 * them, which was given before their results came.
 */
export function readReply(text: string): ReadReply | undefined {
  const values = findJson(text).map(({ value }) => value);
  const calls = values.flatMap((value) => calling.safeParse(value).data?.tool_calls ?? []);
  if (calls.length > 0) return { calls: calls.map(({ name, arguments: given }) => ({ name, arguments: given ?? {} })) };
  const last = values.map((value) => ending.safeParse(value).data).findLast((each) => each !== undefined);
  if (last === undefined) return undefined;
  return { final: typeof last.final_answer === "string" ? last.final_answer : JSON.stringify(last.final_answer) };
}
