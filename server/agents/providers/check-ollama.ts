import { missingModels } from "../../llm/missing-models.ts";
import { modelError } from "../../llm/model-error.ts";
import { ollamaClient } from "../../llm/ollama-client.ts";
import { shellQuote } from "../../person-command.ts";
import type { ProviderCheck } from "./types.ts";

const timeoutMs = 5_000;

/** Whether a server of Ollama answers and has the given models. */
export async function checkOllama(url: string, models: readonly string[]): Promise<ProviderCheck> {
  try {
    const client = ollamaClient({ url, signal: AbortSignal.timeout(timeoutMs) });
    const { version } = await client.version();
    const there = (await client.list()).models.map(({ name }) => name);
    const missing = missingModels(models, there);
    if (missing.length === 0) return { ok: true, version, problem: null, next: null };
    return {
      ok: false,
      version,
      problem: `Ollama ${version} has no ${missing.join(", ")}`,
      next: missing.map((model) => `ollama pull ${shellQuote(model)}`).join(" && "),
    };
  } catch (error) {
    const { message, next = null } = modelError(error, { model: "it", url });
    return { ok: false, version: null, problem: message, next };
  }
}
