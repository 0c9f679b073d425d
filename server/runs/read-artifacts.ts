import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";

/** What a run left in its folder, in order of the names. */
export function readArtifacts(db: Db, runId: number): Promise<Row<"artifacts">[]> {
  return db.selectFrom("artifacts").selectAll().where("run_id", "=", runId).orderBy("name").execute();
}
