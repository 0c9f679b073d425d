import { estimateMicroUsd } from "../agents/budget/estimate-cost.ts";
import { readStats } from "../agents/routing/model-stats.ts";
import { rankModels } from "../agents/routing/rank-models.ts";
import { isEnabled } from "../agents/routing/usable-models.ts";
import type { Config, ModelChoice } from "../config.ts";
import { requireDefinition } from "../definitions/read-definitions.ts";
import { UserError } from "../errors.ts";
import type { EstimateDeps } from "./estimate-plan.ts";
import type { CatalogueDeps } from "./read-catalogue.ts";

/** How estimates find the model of a role, and its price: as agents do when they start. */
export function estimateDeps(deps: CatalogueDeps & Readonly<{ config: Pick<Config, "agents"> }>): EstimateDeps {
  const { agents } = deps.config;
  return {
    async route(role, { models, ...need }) {
      const candidates = models.length > 0 ? models : await modelsOf(deps, role);
      const usable = (candidates.length > 0 ? candidates : agents.models).filter((each) =>
        isEnabled(each, agents.cloud),
      );
      const stats = await readStats(deps.store.db, { role });
      const [first] = rankModels(usable, stats, need);
      return { choice: first?.choice ?? null, stats };
    },
    price: (choice, tokens) => estimateMicroUsd(agents.cloud, choice, tokens),
  };
}

/** The models of a role that is signed; of another one nothing is known yet. */
async function modelsOf(deps: CatalogueDeps, role: string): Promise<readonly ModelChoice[]> {
  try {
    return (await requireDefinition(deps, "role", role)).manifest.models;
  } catch (thrown) {
    if (thrown instanceof UserError) return [];
    throw thrown;
  }
}
