import type { AgentsConfig, ModelChoice } from "../../config.ts";

/** Dollars per million tokens, for reserving, of a cloud model whose price config.yaml does not tell: as dear ones are. */
const dear = { input: 5, output: 25 };

/** About what a call costs, in millionths of a dollar. */
export function estimateMicroUsd(
  cloud: AgentsConfig["cloud"],
  { provider }: Pick<ModelChoice, "provider">,
  tokens: Readonly<{ prompt: number; output: number }>,
): number {
  if (provider === "ollama") return 0;
  const { input, output } = cloud[provider].usdPerMillion ?? dear;
  return Math.ceil(tokens.prompt * input + tokens.output * output);
}
