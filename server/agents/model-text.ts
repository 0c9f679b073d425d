import type { ModelChoice } from "../config.ts";

/** A model as people write it, such as `ollama qwen3:4b`. */
export function modelText({ provider, model }: ModelChoice): string {
  return model === null ? provider : `${provider} ${model}`;
}
