import type { Spent } from "./failed-answer.ts";
import { finishAnswer, numberCalls } from "./finish-answer.ts";
import { readReply } from "./read-reply.ts";
import type { ChatAnswer, ChatRequest } from "./types.ts";

type Reply = Readonly<{ text: string; spent: Spent; cut: boolean }>;

/** Makes the answer of what a program replied to the prompt of renderPrompt. Throws UnusableAnswer. */
export function readAnswer(request: ChatRequest, { text, spent, cut }: Reply): ChatAnswer {
  const read = request.tools.length === 0 ? undefined : readReply(text);
  if (read === undefined) return finishAnswer(request, { text, calls: [], spent, cut });
  if ("calls" in read)
    return finishAnswer(request, { text: "", calls: numberCalls(request.messages, read.calls), spent, cut });
  // What the final answer quotes is no call any more.
  return finishAnswer({ ...request, tools: [] }, { text: read.final, calls: [], spent, cut });
}
