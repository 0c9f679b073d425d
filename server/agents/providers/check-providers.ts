import type { Config } from "../../config.ts";
import { type CloudName, cloudNames, type ProviderName } from "../../config-schema.ts";
import { silentLog } from "../../log.ts";
import { createProviders } from "./create-providers.ts";
import type { ProviderCheck } from "./types.ts";

export type CheckedProvider = ProviderCheck & Readonly<{ name: ProviderName; note: string | null }>;

/** Looks at the providers that the settings use: Ollama with the models of agents, and the programs that are enabled. No model is asked. */
export async function checkProviders(
  config: Pick<Config, "ollama" | "agents">,
  env: NodeJS.ProcessEnv,
): Promise<readonly CheckedProvider[]> {
  const { agents } = config;
  const providers = createProviders(config, { log: silentLog, env });
  const local = agents.models.some(({ provider }) => provider === "ollama");
  const used: ProviderName[] = [
    ...(local ? ["ollama" as const] : []),
    ...cloudNames.filter((name) => agents.cloud[name].enabled),
  ];
  return await Promise.all(
    used.map(async (name) => ({
      name,
      note: name === "ollama" ? null : noteOn(name, agents),
      ...(await providers[name].check()),
    })),
  );
}

/** Claude Code alone tells what it costs. */
function noteOn(name: CloudName, { cloud }: Config["agents"]): string | null {
  if (name === "claude" || cloud[name].usdPerMillion !== null) return null;
  return `its price is not known, so only its tokens are counted: agents.cloud.${name}.usdPerMillion`;
}
