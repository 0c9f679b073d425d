import type { ProviderName } from "../../config-schema.ts";

/** One call of a tool as the model wants it; `id` is unique within a conversation. */
export type ToolCall = Readonly<{ id: string; name: string; arguments: Readonly<Record<string, unknown>> }>;

export type ChatMessage =
  | Readonly<{ role: "system"; content: string }>
  | Readonly<{ role: "user"; content: string }>
  | Readonly<{ role: "assistant"; content: string; toolCalls: readonly ToolCall[] }>
  | Readonly<{ role: "tool"; callId: string; name: string; content: string }>;

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A tool that the model may call. */
export type ToolOffer = Readonly<{ name: string; description: string; inputSchema: JsonSchema }>;

/** One question to a model, with all that was said before. Null leaves the choice to the provider. */
export type ChatRequest = Readonly<{
  model: string | null;
  messages: readonly ChatMessage[];
  tools: readonly ToolOffer[];
  /** What the answer has to fit, unless it is a call of a tool. */
  schema: JsonSchema | null;
  maxOutputTokens: number | null;
  /** Size of the window that holds prompt and answer. */
  contextTokens: number | null;
  temperature: number | null;
  seed: number | null;
  /** Most that this answer may cost. */
  maxUsd: number | null;
}>;

export type ChatAnswer = Readonly<{
  text: string;
  toolCalls: readonly ToolCall[];
  tokens: Readonly<{ prompt: number; output: number }>;
  /** Millionths of a dollar; 0 where it costs nothing or nobody told a price. */
  costMicroUsd: number;
  finish: "stop" | "length" | "tool_calls";
}>;

export type ChatListener = Readonly<{
  signal: AbortSignal;
  /** Called with the whole text so far, where the provider streams. */
  onText?: (whole: string) => void;
}>;

/** Whether a provider can be used now; `next` says what to do where it cannot. */
export type ProviderCheck = Readonly<{
  ok: boolean;
  version: string | null;
  problem: string | null;
  next: string | null;
}>;

/**
 * A model, wherever it runs. `chat` throws UserError `model_missing`, `model_unavailable`, `model_failed`, `budget_exceeded`,
 * `provider_missing`, and the signal's reason.
 */
export type ModelProvider = Readonly<{
  name: ProviderName;
  chat(request: ChatRequest, listener: ChatListener): Promise<ChatAnswer>;
  check(): Promise<ProviderCheck>;
}>;
