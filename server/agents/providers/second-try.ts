import { addSpent, FailedAnswer, nothingSpent, type Spent } from "./failed-answer.ts";
import type { ChatAnswer, ChatMessage, ChatRequest } from "./types.ts";

/** An answer that cannot be used, with the reason as the model is told it. */
export class UnusableAnswer extends Error {
  override readonly name = "UnusableAnswer";
  readonly text: string;
  readonly spent: Spent;
  /** Whether only its form is wrong, so that it can be asked for once more without any tools. */
  readonly formOnly: boolean;

  constructor(reason: string, { text, spent, formOnly }: { text: string; spent: Spent; formOnly: boolean }) {
    super(reason);
    this.text = text;
    this.spent = spent;
    this.formOnly = formOnly;
  }
}

/**
 * Asks, and asks once more with the reason where the answer cannot be used, within what the request allows in all.
 * What both have used up is counted. Throws FailedAnswer `model_failed`.
 */
export async function withSecondTry(
  request: ChatRequest,
  ask: (request: ChatRequest) => Promise<ChatAnswer>,
): Promise<ChatAnswer> {
  const first = await attempt(request, ask);
  if (!(first instanceof UnusableAnswer)) return first;
  const again = remaining(request, first);
  if (again === undefined) throw failed(first, nothingSpent);
  const second = await attempt(again, ask).catch((error: unknown) => {
    throw error instanceof FailedAnswer ? error.after(first.spent) : error;
  });
  if (second instanceof UnusableAnswer) throw failed(second, first.spent);
  return { ...second, ...addSpent(first.spent, second) };
}

async function attempt(request: ChatRequest, ask: (request: ChatRequest) => Promise<ChatAnswer>) {
  try {
    return await ask(request);
  } catch (error) {
    if (error instanceof UnusableAnswer) return error;
    throw error;
  }
}

/** The request with the reason added and what was used up taken off; undefined where nothing is left. */
function remaining(request: ChatRequest, { message, text, spent, formOnly }: UnusableAnswer): ChatRequest | undefined {
  const { maxOutputTokens, maxUsd } = request;
  const tokens = maxOutputTokens === null ? null : maxOutputTokens - spent.tokens.output;
  const usd = maxUsd === null ? null : maxUsd - spent.costMicroUsd / 1_000_000;
  if ((tokens !== null && tokens < 1) || (usd !== null && usd <= 0)) return undefined;
  const said: ChatMessage[] = text.trim() === "" ? [] : [{ role: "assistant", content: text, toolCalls: [] }];
  return {
    ...request,
    messages: [
      ...request.messages,
      ...said,
      { role: "user", content: `That answer cannot be used: ${message}. Answer again.` },
    ],
    tools: formOnly ? [] : request.tools,
    maxOutputTokens: tokens,
    maxUsd: usd,
  };
}

function failed({ message, spent }: UnusableAnswer, before: Spent): FailedAnswer {
  return new FailedAnswer("model_failed", `The answer cannot be used: ${message}.`, {
    next: "ask in other words, allow more tokens, or take another model",
    spent: addSpent(before, spent),
  });
}
