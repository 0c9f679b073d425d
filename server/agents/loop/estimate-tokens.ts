import type { ChatMessage, ToolOffer } from "../providers/types.ts";

/** Of prose and JSON in most tokenisers; a correction follows from what a model counts itself. */
const charsPerToken = 3.6;
/** Role, separators and template of one message. */
const perMessage = 6;

/** About how many tokens a text has. Text outside of ASCII has more per character. */
export function estimateText(text: string): number {
  let wide = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) wide++;
  return Math.ceil((text.length - wide) / charsPerToken + wide / 1.5);
}

/** About how many tokens a message takes in a prompt. */
export function estimateMessage(message: ChatMessage): number {
  const calls = message.role === "assistant" && message.toolCalls.length > 0 ? JSON.stringify(message.toolCalls) : "";
  return estimateText(message.content) + estimateText(calls) + perMessage;
}

/** About how many tokens the list of tools takes. */
export function estimateTools(tools: readonly ToolOffer[]): number {
  return tools.length === 0 ? 0 : estimateText(JSON.stringify(tools)) + perMessage;
}
