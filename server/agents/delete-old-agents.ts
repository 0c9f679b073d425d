import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import { formatAgentId } from "./agent-id.ts";

const batch = 500;

/** Deletes agents that ended before that time, with their steps and their own folders. What is known of models stays. */
export async function deleteOldAgents(db: Db, before: Date, agentsFolder: string): Promise<number> {
  let total = 0;
  for (;;) {
    const { rows } = await sql<{ id: number }>`
      delete from agents where id in (
        select id from agents where finished_at < ${before}::timestamptz limit ${batch}) returning id`.execute(db);
    for (const { id } of rows) await rm(join(agentsFolder, formatAgentId(id)), { recursive: true, force: true });
    total += rows.length;
    if (rows.length < batch) break;
  }
  if (total > 0) await deleteStrayFolders(db, agentsFolder);
  return total;
}

/** Folders whose agents were deleted by another machine, or just before a crash. */
async function deleteStrayFolders(db: Db, agentsFolder: string): Promise<void> {
  const names = await readdir(agentsFolder).catch(() => []);
  const ids = names.flatMap((name) => /^A(\d{1,15})$/.exec(name)?.[1] ?? []).map(Number);
  for (let at = 0; at < ids.length; at += batch) {
    const some = ids.slice(at, at + batch);
    const kept = new Set(
      (await db.selectFrom("agents").select("id").where("id", "in", some).execute()).map(({ id }) => id),
    );
    for (const id of some.filter((each) => !kept.has(each))) {
      await rm(join(agentsFolder, formatAgentId(id)), { recursive: true, force: true });
    }
  }
}
