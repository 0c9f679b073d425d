import { UserError } from "../errors.ts";
import { readModelName } from "../model-name.ts";
import type { ModelChoice } from "./agent-order.ts";

/** A model as people and agents write it, such as `ollama:qwen3:4b`, `claude` or, on Ollama, `qwen3:4b`. Throws invalid_argument. */
export function parseModel(text: string): ModelChoice {
  const named = readModelName(text);
  if (named !== undefined) return named;
  const local = text.trim();
  if (/^\S+$/.test(local)) return { provider: "ollama", model: local };
  throw new UserError("invalid_argument", `"${text.slice(0, 80)}" is no model.`, {
    next: 'write one such as "ollama:qwen3:4b", "qwen3:4b" or "claude"',
  });
}
