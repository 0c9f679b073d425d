import { sql } from "kysely";
import { databaseTime } from "../store/database-time.ts";
import { type Db, notify } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";

export type AlertRequest = Readonly<{
  /** What it is about, such as `job:feed-watch:failed`. */
  key: string;
  message: string;
  runId?: number | undefined;
  now?: Date | undefined;
}>;

/** Longest message that is kept; the run has the whole of it. */
const messageLength = 500;

/** Where senders hear that there is something to tell. A notification can be lost, so they look as well. */
export const alertsChannel = "alerts";

/** Opens the alert of that key, or counts one more on the open one. A resolved alert starts again from 1. */
export async function raiseAlert(db: Db, { key, message, runId, now }: AlertRequest): Promise<void> {
  const at = databaseTime(now);
  const text = storableText(message.slice(0, messageLength));
  await db
    .insertInto("alerts")
    .values({
      key,
      message: text,
      first_message: text,
      count: 1,
      run_id: runId ?? null,
      first_at: at,
      last_at: at,
      resolved_at: null,
      untold: 1,
      untold_at: at,
    })
    .onConflict((conflict) =>
      conflict.column("key").doUpdateSet((eb) => {
        const open = eb("alerts.resolved_at", "is", null);
        return {
          message: text,
          first_message: eb.case().when(open).then(eb.ref("alerts.first_message")).else(text).end(),
          run_id: runId ?? null,
          count: eb
            .case()
            .when(open)
            .then(eb("alerts.count", "+", 1))
            .else(1)
            .end(),
          first_at: eb.case().when(open).then(eb.ref("alerts.first_at")).else(at).end(),
          last_at: at,
          resolved_at: null,
          untold: eb("alerts.untold", "+", 1),
          untold_at: eb.fn.coalesce("alerts.untold_at", at),
        };
      }),
    )
    .execute();
  await notify(db, alertsChannel);
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
  if (closed !== undefined) await notify(db, alertsChannel);
  return closed !== undefined;
}

/** Closes a job's alerts (of one kind, or all of them) that a person has dealt with: nobody need be told that they are over. */
export async function dismissAlerts(db: Db, { job, kind = "" }: { job: string; kind?: string }): Promise<void> {
  await closeQuietly(db)
    .where(sql<boolean>`starts_with(key, ${`job:${job}:${kind}`})`)
    .execute();
}

/** The same for the alert of that key. */
export async function dismissAlert(db: Db, key: string): Promise<void> {
  await closeQuietly(db).where("key", "=", key).execute();
}

function closeQuietly(db: Db) {
  return db
    .updateTable("alerts")
    .set({ resolved_at: databaseTime(undefined), untold: 0, untold_at: null, told: 0, tell_at: null })
    .where("resolved_at", "is", null);
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
