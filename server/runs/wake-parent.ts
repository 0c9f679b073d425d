import { databaseTime } from "../store/database-time.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";

/** Lets the run that asked for one that has ended go on, if it is suspended. The notice of the end brings a worker. */
export async function wakeParent(db: Db, { parent_run }: Pick<Row<"runs">, "parent_run">, now?: Date): Promise<void> {
  if (parent_run === null) return;
  await db
    .updateTable("runs")
    .set({ run_at: databaseTime(now) })
    .where("id", "=", parent_run)
    .where("state", "=", "suspended")
    .execute();
}
