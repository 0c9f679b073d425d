import type { ChatMessage } from "../providers/types.ts";
import type { Conversation } from "./conversation.ts";
import { estimateMessage } from "./estimate-tokens.ts";
import { foldedResult } from "./folded-result.ts";

/** Results that the model has only just got; they go last. */
const freshResults = 2;

export type FoldPlan = Readonly<{
  /** Calls whose results are to be folded; none where all fits. */
  callIds: readonly string[];
  /** Estimated tokens of the messages, corrected by what the model counts. */
  before: number;
  after: number;
  fits: boolean;
}>;

/**
 * Which results are to be folded so that the messages take at most `room` tokens: old ones first, the freshest last, and nothing of
 * what the system and the task say.
 */
export function planFold({ messages, calls, folded, tokenRatio }: Conversation, room: number): FoldPlan {
  const sizes = messages.map(estimateMessage);
  const before = Math.ceil(sizes.reduce((sum, size) => sum + size, 0) * tokenRatio);
  let after = before;
  const callIds: string[] = [];
  const results = messages.flatMap((message) => (message.role === "tool" ? [message] : []));
  const order = [...results.slice(0, -freshResults), ...results.slice(-freshResults)];
  for (const message of order) {
    if (after <= room) break;
    const made = calls.find(({ call }) => call.id === message.callId);
    if (made === undefined || folded.has(message.callId)) continue;
    const small: ChatMessage = { ...message, content: foldedResult(made) };
    const saved = estimateMessage(message) - estimateMessage(small);
    if (saved <= 0) continue;
    callIds.push(message.callId);
    after -= Math.floor(saved * tokenRatio);
  }
  return { callIds, before, after, fits: after <= room };
}
