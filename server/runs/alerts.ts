import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import { databaseTime } from "./queue/database-time.ts";

export type AlertRequest = Readonly<{
  /** What it is about, such as `job:feed-watch:failed`. */
  key: string;
  message: string;
  runId?: number | undefined;
  now?: Date | undefined;
}>;

/** Longest message that is kept; the run has the whole of it. */
const messageLength = 500;

/** Opens the alert of that key, or counts one more on the open one. A resolved alert starts again from 1. */
export async function raiseAlert(db: Db, { key, message, runId, now }: AlertRequest): Promise<void> {
  const at = databaseTime(now);
  const text = storableText(message.slice(0, messageLength));
  await db
    .insertInto("alerts")
    .values({ key, message: text, count: 1, run_id: runId ?? null, first_at: at, last_at: at, resolved_at: null })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet((eb) => ({
        message: text,
        run_id: runId ?? null,
        count: eb
          .case()
          .when("alerts.resolved_at", "is", null)
          .then(eb("alerts.count", "+", 1))
          .else(1)
          .end(),
        first_at: eb.case().when("alerts.resolved_at", "is", null).then(eb.ref("alerts.first_at")).else(at).end(),
        last_at: at,
        resolved_at: null,
      })),
    )
    .execute();
}

/** Closes the alert of that key, if it is open; tells whether it was. */
export async function resolveAlert(
  db: Db,
  { key, now }: Readonly<{ key: string; now?: Date | undefined }>,
): Promise<boolean> {
  const closed = await db
    .updateTable("alerts")
    .set({ resolved_at: databaseTime(now) })
    .where("key", "=", key)
    .where("resolved_at", "is", null)
    .returning("key")
    .executeTakeFirst();
  return closed !== undefined;
}

/** Alerts that nothing has resolved, latest first. */
export function openAlerts(db: Db, { limit = 100 }: { limit?: number } = {}): Promise<Row<"alerts">[]> {
  return db
    .selectFrom("alerts")
    .selectAll()
    .where("resolved_at", "is", null)
    .orderBy("last_at", "desc")
    .orderBy("key")
    .limit(limit)
    .execute();
}
