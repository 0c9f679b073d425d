import type { z } from "zod";
import { providerName } from "./config-schema.ts";

/** A provider's model; null for the provider's own choice. */
export type NamedModel = Readonly<{ provider: z.infer<typeof providerName>; model: string | null }>;

/** Reads `ollama:qwen3:4b`, `ollama qwen3:4b` or `claude`; undefined where no provider stands in front. */
export function readModelName(text: string): NamedModel | undefined {
  const [, word, model] = /^([a-z]+)(?:[:\s]\s*(\S+))?$/.exec(text.trim()) ?? [];
  const provider = providerName.safeParse(word);
  return provider.success ? { provider: provider.data, model: model ?? null } : undefined;
}
