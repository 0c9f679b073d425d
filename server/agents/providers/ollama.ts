import { UserError } from "../../errors.ts";
import { exchange } from "../../llm/exchange.ts";
import type { Slots } from "../../llm/slots.ts";
import type { Log } from "../../log.ts";
import { checkOllama } from "./check-ollama.ts";
import { dropThinking } from "./drop-thinking.ts";
import { nothingSpent, type Spent } from "./failed-answer.ts";
import { finishAnswer, numberCalls } from "./finish-answer.ts";
import { ollamaRequest } from "./ollama-messages.ts";
import { UnusableAnswer, withSecondTry } from "./second-try.ts";
import type { ChatAnswer, ChatListener, ChatRequest, ModelProvider, ToolCall } from "./types.ts";

type Settings = Readonly<{
  url: string;
  /** How long Ollama keeps a model in memory afterwards, such as "5m". */
  keepAlive: string;
  /** What the settings name; the first serves who names none. */
  models: readonly string[];
  /** Shared with whatever else of this process asks this server. */
  slots: Slots;
  log: Log;
  /** Longest silence. Ollama itself may let others of other processes go first. */
  stallMs?: number;
}>;

/** Models of an Ollama server. Throws what ModelProvider says. */
export function createOllamaProvider(settings: Settings): ModelProvider {
  return {
    name: "ollama",
    chat: (request, listener) =>
      settings.slots.run(listener.signal, () =>
        withSecondTry(request, (each) => askOllama(settings, requireModel(settings, request.model), each, listener)),
      ),
    check: () => checkOllama(settings.url, settings.models),
  };
}

function requireModel({ models }: Settings, model: string | null): string {
  const chosen = model ?? models[0];
  if (chosen !== undefined) return chosen;
  throw new UserError("model_missing", "No model of Ollama is named.", {
    next: "name one in the role, or in agents.models of config.yaml",
  });
}

async function askOllama(
  { url, keepAlive, log, stallMs = 600_000 }: Settings,
  model: string,
  request: ChatRequest,
  { signal, onText = () => {} }: ChatListener,
): Promise<ChatAnswer> {
  const startedMs = performance.now();
  const read = await exchange({ url, model, signal, stallMs }, async (client) =>
    readParts(await client.chat(ollamaRequest(request, model, keepAlive)), onText),
  ).catch((error: unknown) => {
    throw badCall(error) ?? error;
  });
  const ms = Math.round(performance.now() - startedMs);
  log.info({ model, ...read.spent.tokens, ms }, "model answered");
  return finishAnswer(request, { ...read, calls: numberCalls(request.messages, read.calls) });
}

/** Ollama refuses some calls that its own models wrote, with an error of the server; asked once more they often get it right. */
function badCall(error: unknown): UnusableAnswer | undefined {
  const [, raw] = (error instanceof UserError && /error parsing tool call:?\s*(.*)/s.exec(error.message)) || [];
  if (raw === undefined) return undefined;
  return new UnusableAnswer(`the call of a tool was no valid JSON (${raw.slice(0, 300)})`, {
    text: "",
    spent: nothingSpent,
    formOnly: false,
  });
}

type Part = Readonly<{
  message?: Readonly<{
    content?: string;
    tool_calls?: readonly Readonly<{ function: Readonly<{ name: string; arguments: Record<string, unknown> }> }>[];
  }>;
  done_reason?: string;
  prompt_eval_count?: number;
  eval_count?: number;
}>;

async function readParts(parts: AsyncIterable<Part>, onText: (whole: string) => void) {
  const calls: Omit<ToolCall, "id">[] = [];
  let raw = "";
  let last: Part = {};
  for await (const part of parts) {
    last = part;
    for (const { function: call } of part.message?.tool_calls ?? []) calls.push(call);
    const more = part.message?.content ?? "";
    if (more === "") continue;
    raw += more;
    onText(dropThinking(raw));
  }
  // What Ollama has cached of the prompt it does not count, and then leaves the number out.
  const { prompt_eval_count: prompt = 0, eval_count: output = 0, done_reason } = last;
  const spent: Spent = { tokens: { prompt, output }, costMicroUsd: 0 };
  return { text: dropThinking(raw), calls, spent, cut: done_reason === "length" };
}
