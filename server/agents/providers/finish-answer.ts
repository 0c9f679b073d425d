import type { Spent } from "./failed-answer.ts";
import { fitSchema } from "./fit-schema.ts";
import { UnusableAnswer } from "./second-try.ts";
import type { ChatAnswer, ChatMessage, ChatRequest, ToolCall } from "./types.ts";
import { readWrittenCalls } from "./written-calls.ts";

type Read = Readonly<{
  text: string;
  calls: readonly ToolCall[];
  spent: Spent;
  /** Whether the tokens ran out. */
  cut: boolean;
}>;

/** Makes the answer of what a model has said: calls that it wrote as text are calls, and JSON fits its schema. Throws UnusableAnswer. */
export function finishAnswer(request: ChatRequest, { text, calls, spent, cut }: Read): ChatAnswer {
  const { messages, tools, schema } = request;
  if (calls.length > 0) return { text, toolCalls: calls, ...spent, finish: "tool_calls" };
  const written = readWrittenCalls(text, tools);
  if (written.calls.length > 0)
    return { text: written.rest, toolCalls: numberCalls(messages, written.calls), ...spent, finish: "tool_calls" };
  const unusable = (reason: string, formOnly: boolean) => new UnusableAnswer(reason, { text, spent, formOnly });
  if (text.trim() === "") throw unusable(cut ? "the tokens ran out before it began" : "it is empty", false);
  const finish = cut ? "length" : "stop";
  if (schema === null) return { text, toolCalls: [], ...spent, finish };
  const fit = fitSchema(schema, text);
  if (!fit.ok) throw unusable(cut ? "it was cut off" : fit.reason, true);
  return { text: fit.json, toolCalls: [], ...spent, finish };
}

/** Gives calls ids that are new in a conversation and the same whenever it is played again. */
export function numberCalls(
  messages: readonly ChatMessage[],
  calls: readonly Omit<ToolCall, "id">[],
): readonly ToolCall[] {
  const before = messages.reduce((sum, each) => sum + (each.role === "assistant" ? each.toolCalls.length : 0), 0);
  return calls.map((call, i) => ({ id: `call_${before + i + 1}`, name: call.name, arguments: call.arguments }));
}
