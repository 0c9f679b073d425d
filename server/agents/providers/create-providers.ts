import type { Config } from "../../config.ts";
import type { ProviderName } from "../../config-schema.ts";
import { createSlots, type Slots } from "../../llm/slots.ts";
import type { Log } from "../../log.ts";
import { agentModels } from "./agent-models.ts";
import { claude } from "./claude.ts";
import { createCliProvider } from "./cli-provider.ts";
import { codex } from "./codex.ts";
import { gemini } from "./gemini.ts";
import { createOllamaProvider } from "./ollama.ts";
import type { ModelProvider } from "./types.ts";

type Deps = Readonly<{
  log: Log;
  /** Turns on the Ollama server, where others of this process ask it, too. */
  slots?: Slots;
  env?: NodeJS.ProcessEnv;
}>;

/** Every provider of the settings. One that is not enabled throws `provider_missing` when it is asked. */
export function createProviders(
  { ollama, agents }: Pick<Config, "ollama" | "agents">,
  { log, slots = createSlots(ollama.concurrency), env = process.env }: Deps,
): Readonly<Record<ProviderName, ModelProvider>> {
  const { cloud } = agents;
  return {
    ollama: createOllamaProvider({ ...ollama, models: agentModels(agents), slots, log }),
    claude: createCliProvider(claude, { config: cloud.claude, env, log }),
    gemini: createCliProvider(gemini, { config: cloud.gemini, env, log }),
    codex: createCliProvider(codex, { config: cloud.codex, env, log }),
  };
}
