import { sql } from "kysely";
import type { Db } from "../../store/open-store.ts";
import type { RunTrigger } from "../../store/tables.ts";

/** A run of the line that led to another one. */
export type Forebear = Readonly<{ id: number; job: string; trigger: RunTrigger }>;

/** Longest line of runs that start one another; no job stands in one twice. */
export const longestLine = 32;

/** The runs that led to a run, by starting the next one or by ending: itself first. At most one more than the longest line. */
export async function readLineage(db: Db, runId: number): Promise<Forebear[]> {
  const { rows } = await sql<Forebear & { depth: number }>`
    with recursive line as (
      select id, job, trigger, parent_run, 1 as depth from runs where id = ${runId}
      union all
      select runs.id, runs.job, runs.trigger, runs.parent_run, line.depth + 1 from runs
      join line on runs.id = line.parent_run where line.depth <= ${longestLine}
    )
    select id, job, trigger, depth from line order by depth`.execute(db);
  return rows.map(({ id, job, trigger }) => ({ id, job, trigger }));
}
