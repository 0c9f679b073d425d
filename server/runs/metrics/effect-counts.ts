import { type RawBuilder, sql } from "kysely";
import type { Db } from "../../store/open-store.ts";

/** How often an effect had an outcome, with the tokens of models where it is `llm.generate`. */
export type EffectCount = Readonly<{
  op: string;
  /** `unknown`: cut off, and never found out. */
  outcome: "ok" | "error" | "unknown";
  count: number;
  promptTokens: number;
  outputTokens: number;
}>;

/** Effects of these runs, all attempts together. */
export function effectCounts(db: Db, runs: readonly number[]): Promise<EffectCount[]> {
  if (runs.length === 0) return Promise.resolve([]);
  return countEffects(db, sql`select unnest(${runs}::bigint[]) as id`, null);
}

/** Effects of the runs whose `id` the query gives, in its order; `most` bounds how many are looked at. */
export async function countEffects(db: Db, runs: RawBuilder<unknown>, most: number | null): Promise<EffectCount[]> {
  // `offset 0` keeps it one look into the primary key per run; else all of a large journal may be read.
  const { rows } = await sql<EffectCount>`
    with each as (
      select j.op, coalesce(j.outcome, 'unknown') as outcome, j.answer
      from (${runs}) as chosen cross join lateral (
        select op, outcome, case when op = 'llm.generate' and outcome = 'ok'
          then coalesce(result, (select convert_from(bytes, 'UTF8') from blobs where hash = result_hash)) end as answer
        from journal where run_id = chosen.id offset 0) as j
      limit ${most}
    )
    select op, outcome, count(*)::integer as count, ${tokens("prompt")} as "promptTokens", ${tokens("output")} as "outputTokens"
    from each group by op, outcome order by op, outcome`.execute(db);
  return rows;
}

/**
 * `llm.generate` answers with `tokens` and `finish` at its end. Read there as text: casts to json refuse \u0000 in what a model
 * wrote, and no text of a model reaches the end.
 */
function tokens(kind: "prompt" | "output"): RawBuilder<number> {
  const at = { prompt: '([0-9]{1,15}),"output":[0-9]+', output: '[0-9]+,"output":([0-9]{1,15})' }[kind];
  const pattern = `"tokens":\\{"prompt":${at}\\},"finish":"[a-z]+"\\}$`;
  return sql`coalesce(sum(substring(right(answer, 200) from ${sql.lit(pattern)})::bigint), 0)::double precision`;
}
