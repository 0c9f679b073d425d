import { agentModels } from "../../agents/providers/agent-models.ts";
import { missingModels } from "../../llm/missing-models.ts";
import { modelError } from "../../llm/model-error.ts";
import { ollamaClient } from "../../llm/ollama-client.ts";
import { shellQuote } from "../../person-command.ts";
import { type Check, ok, warn } from "./check.ts";

const timeoutMs = 5_000;
const shownModels = 8;

/** Only warns: who asks no model needs none. */
export const modelsCheck: Check = {
  name: "models",
  async look({ config }) {
    if (config === undefined) return warn("not looked at, since the settings are wrong", "correct them first");
    const { url } = config.ollama;
    try {
      const client = ollamaClient({ url, signal: AbortSignal.timeout(timeoutMs) });
      const { version } = await client.version();
      const names = (await client.list()).models.map(({ name }) => name);
      if (names.length === 0)
        return warn(
          `Ollama ${version} has no model yet`,
          "for jobs that ask one, and for agents: ollama pull qwen3:4b",
        );
      const missing = missingModels(agentModels(config.agents), names);
      if (missing.length > 0)
        return warn(
          `Ollama ${version} has no ${missing.join(", ")}, which agents use (agents.models)`,
          missing.map((model) => `ollama pull ${shellQuote(model)}`).join(" && "),
        );
      const more = names.length > shownModels ? `, and ${names.length - shownModels} more` : "";
      return ok(`Ollama ${version}: ${names.slice(0, shownModels).join(", ")}${more}`);
    } catch (error) {
      const { message } = modelError(error, { model: "it", url });
      return warn(message, "needed only by agents and by jobs that ask a model: ollama serve");
    }
  },
};
