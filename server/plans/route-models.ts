import type { Config, ModelChoice } from "../config.ts";
import { requireDefinition } from "../definitions/read-definitions.ts";
import { UserError } from "../errors.ts";
import type { EstimateDeps } from "./estimate-plan.ts";
import type { CatalogueDeps } from "./read-catalogue.ts";

/** How estimates find the model of a role, and its price: as agents do when they start. */
export function estimateDeps(deps: CatalogueDeps & Readonly<{ config: Pick<Config, "agents"> }>): EstimateDeps {
  const { agents } = deps.config;
  return {
    async route(role, { models }) {
      const candidates = models.length > 0 ? models : await modelsOf(deps, role);
      const usable = (candidates.length > 0 ? candidates : agents.models).filter(
        ({ provider }) => provider === "ollama" || agents.cloud[provider].enabled,
      );
      const stats = await deps.store.db.selectFrom("model_stats").selectAll().where("role", "=", role).execute();
      return { choice: usable[0] ?? null, stats };
    },
    price({ provider }, { prompt, output }) {
      if (provider === "ollama") return 0;
      const price = agents.cloud[provider].usdPerMillion ?? dear;
      return Math.ceil(prompt * price.input + output * price.output);
    },
  };
}

/** Dollars per million tokens of a cloud model whose price config.yaml does not tell: as dear ones are. */
const dear = { input: 5, output: 25 } as const;

/** The models of a role that is signed; of another one nothing is known yet. */
async function modelsOf(deps: CatalogueDeps, role: string): Promise<readonly ModelChoice[]> {
  try {
    return (await requireDefinition(deps, "role", role)).manifest.models;
  } catch (thrown) {
    if (thrown instanceof UserError) return [];
    throw thrown;
  }
}
