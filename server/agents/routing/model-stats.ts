import { sql } from "kysely";
import type { Db } from "../../store/open-store.ts";
import type { NewRow, Row } from "../../store/tables.ts";

export type StatsKey = Pick<Row<"model_stats">, "role" | "provider" | "model" | "complexity">;

const counters = [
  "accepted",
  "refused",
  "failed",
  "calls",
  "errors",
  "tokens_in",
  "tokens_out",
  "cost_microusd",
  "busy_ms",
] as const;
export type StatsChange = Readonly<Partial<Record<(typeof counters)[number], number>>>;

/** Adds to what is known of a model in a role. */
export async function addToStats(db: Db, key: StatsKey, change: StatsChange): Promise<void> {
  const values: NewRow<"model_stats"> = { ...key, ...change };
  await db
    .insertInto("model_stats")
    .values(values)
    .onConflict((conflict) =>
      conflict.columns(["role", "provider", "model", "complexity"]).doUpdateSet({
        ...Object.fromEntries(
          counters.map((name) => [name, sql<number>`${sql.ref(`model_stats.${name}`)} + ${change[name] ?? 0}::bigint`]),
        ),
        updated_at: sql<Date>`now()`,
      }),
    )
    .execute();
}

/** What is known of a model in a role, and for how many days nothing was added. */
export type ModelStats = Row<"model_stats"> & Readonly<{ idle_days: number }>;

/** What is known of models, by role, provider, model and complexity. */
export async function readStats(db: Db, { role }: Readonly<{ role?: string | undefined }> = {}): Promise<ModelStats[]> {
  const idleDays = sql<number>`(extract(epoch from now() - updated_at) / 86400)::double precision`.as("idle_days");
  const all = db.selectFrom("model_stats").selectAll().select(idleDays);
  let query = all.orderBy("role").orderBy("provider").orderBy("model");
  if (role !== undefined) query = query.where("role", "=", role);
  return query.orderBy("complexity").execute();
}
