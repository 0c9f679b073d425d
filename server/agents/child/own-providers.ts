import type { Config } from "../../config.ts";
import type { ProviderName } from "../../config-schema.ts";
import { UserError } from "../../errors.ts";
import { createSlots } from "../../llm/slots.ts";
import { silentLog } from "../../log.ts";
import { createOllamaProvider } from "../providers/ollama.ts";
import type { ModelProvider } from "../providers/types.ts";

/** Makes the provider of a name. Throws `provider_missing` for one that this release does not have. */
export function ownProvider(
  { agents, ollama }: Pick<Config, "agents" | "ollama">,
  name: ProviderName,
): Pick<ModelProvider, "chat"> {
  if (name !== "ollama") throw new UserError("provider_missing", `${name} cannot be asked yet.`);
  const models = agents.models.flatMap(({ provider, model }) =>
    provider === "ollama" && model !== null ? [model] : [],
  );
  return createOllamaProvider({ ...ollama, models, slots: createSlots(ollama.concurrency), log: silentLog });
}
