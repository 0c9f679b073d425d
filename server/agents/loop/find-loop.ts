import { canonicalJson } from "../../canonical-json.ts";
import type { ToolCall } from "../providers/types.ts";
import type { Conversation } from "./conversation.ts";

/** The same call with the same result so often is a sign that the model does not get on. */
const warnAfter = 2;
const stopAfter = 4;
/** How far back one looks: a model can also go in a circle of several calls. */
const window = 16;

/**
 * Whether a model goes in circles with its next call: `told`, it is told so instead of having the call made; `stuck`, it has been told
 * and goes on. Calls that wait for something may be repeated.
 */
export function findLoop(
  { calls, folded }: Pick<Conversation, "calls" | "folded">,
  next: ToolCall,
): "told" | "stuck" | null {
  if ("wait_seconds" in next.arguments) return null;
  const key = keyOf(next);
  // What was folded away may be asked for again.
  const same = calls.slice(-window).filter(({ call }) => keyOf(call) === key && !folded.has(call.id));
  const last = same.findLast(({ content }) => !content.startsWith(loopMark));
  if (last === undefined) return null;
  const unchanged = same.filter(({ content }) => content === last.content || content.startsWith(loopMark));
  if (unchanged.length >= stopAfter) return "stuck";
  return unchanged.length >= warnAfter ? "told" : null;
}

const loopMark = "Not called:";

/** What a model is told instead of a result. */
export function loopText({ name }: ToolCall): string {
  return `${loopMark} you have called ${name} with these very arguments before, and the result is the same. Use what you have: try something else, or give your answer.`;
}

function keyOf({ name, arguments: args }: ToolCall): string {
  return `${name} ${canonicalJson(args)}`;
}
