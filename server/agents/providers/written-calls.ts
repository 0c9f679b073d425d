import { z } from "zod";
import { findJson, parseLeniently } from "./find-json.ts";
import type { ToolCall, ToolOffer } from "./types.ts";

export type WrittenCalls = Readonly<{ calls: readonly Omit<ToolCall, "id">[]; rest: string }>;

const callArguments = z.preprocess(
  (given) => (typeof given === "string" ? parseLeniently(given) : given),
  z.record(z.string(), z.unknown()),
);
const named = z.strictObject({
  name: z.string(),
  arguments: callArguments.optional(),
  parameters: callArguments.optional(),
  args: callArguments.optional(),
  input: callArguments.optional(),
  id: z.unknown().optional(),
  type: z.unknown().optional(),
});
const nested = z.strictObject({ function: named, id: z.unknown().optional(), type: z.unknown().optional() });

/**
 * Calls of known tools that a model has written as text at the end of its answer, as small ones do:
 * `{"name": …, "arguments": {…}}`, bare, fenced, in `<tool_call>` or in a list. Where anything follows they are an example.
 */
export function readWrittenCalls(text: string, tools: readonly ToolOffer[]): WrittenCalls {
  const known = new Set(tools.map(({ name }) => name));
  const calls: Omit<ToolCall, "id">[] = [];
  let end = text.trimEnd().length;
  for (const found of findJson(text).reverse()) {
    if (text.slice(found.end, end).trim() !== "") break;
    const read = callsOf(found.value, known);
    if (read === undefined) break;
    calls.unshift(...read);
    end = found.start;
  }
  return { calls, rest: calls.length === 0 ? text : text.slice(0, end).trim() };
}

/** The calls that a JSON value stands for, all of known tools; undefined where it is something else. */
export function callsOf(value: unknown, known: ReadonlySet<string>): Omit<ToolCall, "id">[] | undefined {
  if (Array.isArray(value)) {
    const all = value.map((item) => callOf(item, known));
    const calls = all.filter((call) => call !== undefined);
    return calls.length > 0 && calls.length === all.length ? calls : undefined;
  }
  const call = callOf(value, known);
  return call === undefined ? undefined : [call];
}

function callOf(value: unknown, known: ReadonlySet<string>): Omit<ToolCall, "id"> | undefined {
  const whole = nested.safeParse(value);
  const call = whole.success ? whole.data.function : named.safeParse(value).data;
  if (call === undefined || !known.has(call.name)) return undefined;
  return { name: call.name, arguments: call.arguments ?? call.parameters ?? call.args ?? call.input ?? {} };
}
