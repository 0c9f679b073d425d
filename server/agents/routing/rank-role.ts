import type { AgentsConfig } from "../../config.ts";
import type { RoleManifest } from "../../definitions/role-manifest.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { readStats } from "./model-stats.ts";
import { type RankedModel, rankModels } from "./rank-models.ts";
import { isEnabled } from "./usable-models.ts";

export type RankedRole = Readonly<{
  complexity: Row<"agents">["complexity"];
  models: readonly (RankedModel & Readonly<{ enabled: boolean }>)[];
}>;

/** In which order a role's models are asked, for each complexity; those that are not enabled are not asked. */
export async function rankRole(
  db: Db,
  agents: AgentsConfig,
  { name, manifest, urgency }: Readonly<{ name: string; manifest: RoleManifest; urgency: Row<"agents">["urgency"] }>,
): Promise<RankedRole[]> {
  const stats = await readStats(db, { role: name });
  const candidates = manifest.models.length > 0 ? manifest.models : agents.models;
  return (["low", "medium", "high"] as const).map((complexity) => ({
    complexity,
    models: rankModels(candidates, stats, { urgency, complexity }).map((ranked) => ({
      ...ranked,
      enabled: isEnabled(ranked.choice, agents.cloud),
    })),
  }));
}
