import { sql } from "kysely";
import { databaseTime } from "../../store/database-time.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";

/** One message: `lines` go in it, and `count` were waiting. */
export type AlertMessage = Readonly<{
  target: string;
  lines: readonly string[];
  alerts: number;
  recoveries: number;
  id: string;
}>;

export type SendLines = Readonly<{
  target: string;
  /** Delivers; throws where it did not arrive. */
  send(message: AlertMessage): Promise<void>;
  now?: Date | undefined;
}>;

/** Longer than any delivery takes. */
const holdSeconds = 60;
/** Lines that one message shows. */
const shownLines = 20;
const mostLines = 1_000;

/**
 * Sends what waits for a target in one message, whoever queued it. The lines are held meanwhile and deleted once it has arrived, so
 * a sender that dies in between loses nothing: that one message is sent again a minute later, and may arrive twice. Tells
 * whether there was anything; throws what `send` does, and gives the lines back.
 */
export async function sendLines(db: Db, { target, send, now }: SendLines): Promise<boolean> {
  const held = await hold(db, target, now);
  const [first] = held;
  if (first === undefined) return false;
  const ids = held.map(({ id }) => id);
  const lines = held.slice(0, shownLines).map(({ text }) => text);
  const recoveries = held.filter(({ recovery }) => recovery).length;
  try {
    await send({ target, lines, recoveries, alerts: held.length - recoveries, id: `alert-${first.id}-${ids.at(-1)}` });
  } catch (thrown) {
    await db.updateTable("alert_lines").set({ held_until: null }).where("id", "in", ids).execute();
    throw thrown;
  }
  await db.deleteFrom("alert_lines").where("id", "in", ids).execute();
  return true;
}

async function hold(db: Db, target: string, now: Date | undefined): Promise<Row<"alert_lines">[]> {
  const at = databaseTime(now);
  const { rows } = await sql<Row<"alert_lines">>`
    update alert_lines set held_until = ${at} + ${holdSeconds}::integer * interval '1 second'
    where id in (
      select id from alert_lines where target = ${target} and (held_until is null or held_until <= ${at})
      order by id limit ${mostLines} for update skip locked)
    returning *`.execute(db);
  return rows.sort((a, b) => a.id - b.id);
}
