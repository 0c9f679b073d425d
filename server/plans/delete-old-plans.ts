import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import { dismissPlanAlert } from "./plan-alert.ts";

const atOnce = 100;

/** Deletes plans that ended before that time, with their nodes; their tasks stay. Gives back how many. */
export async function deleteOldPlans(db: Db, before: Date): Promise<number> {
  for (let deleted = 0; ; ) {
    const { rows } = await sql<{ id: number }>`delete from plans where id in (
      select id from plans where finished_at < ${before}::timestamptz
        and state in ('succeeded', 'failed', 'cancelled') order by id limit ${atOnce}) returning id`.execute(db);
    for (const { id } of rows) await dismissPlanAlert(db, id);
    deleted += rows.length;
    if (rows.length < atOnce) return deleted;
  }
}

/** Deletes the folders here of plans that are not on record any more. */
export async function deletePlanFolders(db: Db, plansFolder: string): Promise<void> {
  const names = await readdir(plansFolder).catch(() => []);
  const ids = names.flatMap((name) => /^P(\d{1,15})$/.exec(name)?.[1] ?? []).map(Number);
  if (ids.length === 0) return;
  const kept = await db.selectFrom("plans").select("id").where("id", "in", ids).execute();
  const known = new Set(kept.map(({ id }) => id));
  for (const id of ids.filter((each) => !known.has(each))) {
    await rm(join(plansFolder, `P${id}`), { recursive: true, force: true });
  }
}
