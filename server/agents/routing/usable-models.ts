import type { AgentsConfig, ModelChoice } from "../../config.ts";

/** Cloud models cost money and learn what they are asked: they are asked only where the person has enabled them. */
export function isEnabled({ provider }: ModelChoice, cloud: AgentsConfig["cloud"]): boolean {
  return provider === "ollama" || cloud[provider].enabled;
}
