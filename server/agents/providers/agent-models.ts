import type { AgentsConfig } from "../../config.ts";

/** The models of Ollama that the settings name for agents, each once. */
export function agentModels({ models }: AgentsConfig): readonly string[] {
  const names = models.flatMap(({ provider, model }) => (provider === "ollama" && model !== null ? [model] : []));
  return [...new Set(names)];
}
