import type { ChatRequest } from "ollama";
import type { EffectServices, LlmAnswer, LlmRequest } from "../effects/services.ts";
import { UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import { exchange } from "./exchange.ts";
import { createSlots } from "./slots.ts";

type Settings = Readonly<{
  url: string;
  /** How long Ollama keeps the model in memory afterwards, such as "5m". */
  keepAlive: string;
  /** Generations at a time; further ones wait. */
  concurrency: number;
  log: Log;
  /** Longest silence, loading the model and reading the prompt included. */
  stallMs?: number;
}>;

type Listener = Readonly<{ signal: AbortSignal; onText: (whole: string) => void }>;

/** The `llm` of effects, on an Ollama server. The wait for a turn ends with the signal, and so does the connection. */
export function createOllama(settings: Settings): EffectServices["llm"] {
  const slots = createSlots(settings.concurrency);
  return (request, listener) => slots.run(listener.signal, () => generate(settings, request, listener));
}

async function generate(settings: Settings, request: LlmRequest, { signal, onText }: Listener): Promise<LlmAnswer> {
  const { url, keepAlive, log, stallMs = 120_000 } = settings;
  const { model } = request;
  const startedMs = performance.now();
  return await exchange({ url, model, signal, stallMs }, async (client) => {
    const answer = await readAnswer(await client.chat(chatRequest(request, keepAlive)), onText);
    log.info({ model, ...answer.tokens, ms: Math.round(performance.now() - startedMs) }, "model answered");
    return requireText(model, answer);
  });
}

type Part = Readonly<{
  message?: Readonly<{ content?: string }>;
  done?: boolean;
  done_reason?: string;
  prompt_eval_count?: number;
  eval_count?: number;
}>;

async function readAnswer(parts: AsyncIterable<Part>, onText: (whole: string) => void): Promise<LlmAnswer> {
  let text = "";
  let last: Part = {};
  for await (const part of parts) {
    last = part;
    const more = part.message?.content ?? "";
    if (more === "") continue;
    text += more;
    onText(text);
  }
  // What Ollama has cached of the prompt it does not count, and then leaves the number out.
  const { prompt_eval_count: prompt = 0, eval_count: output = 0, done_reason } = last;
  return { text, tokens: { prompt, output }, finish: done_reason === "length" ? "length" : "stop" };
}

function requireText(model: string, answer: LlmAnswer): LlmAnswer {
  if (answer.text.trim() !== "") return answer;
  const next =
    answer.finish === "length"
      ? "raise maxTokens: they ran out before the answer began"
      : "ask in other words, or another model";
  throw new UserError("model_failed", `${model} gave an empty answer.`, { next });
}

function chatRequest(request: LlmRequest, keepAlive: string): ChatRequest & { stream: true } {
  const { model, messages, schema, temperature, maxTokens, seed } = request;
  return {
    model,
    messages: messages.map((message) => ({ ...message })),
    stream: true,
    keep_alive: keepAlive,
    ...(schema === null ? {} : { format: schema }),
    options: {
      ...(temperature === null ? {} : { temperature }),
      ...(maxTokens === null ? {} : { num_predict: maxTokens }),
      ...(seed === null ? {} : { seed }),
    },
  };
}
