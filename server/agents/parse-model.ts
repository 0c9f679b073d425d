import { providerName } from "../config-schema.ts";
import { UserError } from "../errors.ts";
import type { ModelChoice } from "./agent-order.ts";

/** A model as people and agents write it, such as `ollama qwen3:4b`, `claude` or `qwen3:4b`. Throws invalid_argument. */
export function parseModel(text: string): ModelChoice {
  const [first = "", ...rest] = text.trim().split(/\s+/);
  const provider = providerName.safeParse(first);
  if (provider.success && rest.length <= 1) return { provider: provider.data, model: rest[0] ?? null };
  if (rest.length === 0 && first !== "") return { provider: "ollama", model: first };
  throw new UserError("invalid_argument", `"${text.slice(0, 80)}" is no model.`, {
    next: 'write one such as "ollama qwen3:4b", "qwen3:4b" or "claude"',
  });
}
