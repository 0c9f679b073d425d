import { sql } from "kysely";
import { databaseTime } from "../../store/database-time.ts";
import { inTransaction } from "../../store/in-transaction.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { alertLine } from "./alert-line.ts";

export type QueueAlerts = Readonly<{
  /** Where each line goes. */
  targets: readonly string[];
  /** The pause after the first message of an alert that lasts; it doubles with each further one, up to a day. */
  everyMs: number;
  /** Whether the end of an alert is told. */
  recovery: boolean;
  /** For the times in the text. */
  timezone: string;
  /** Makes foreign text fit to be sent: without secrets, on one line. */
  clean: (text: string) => string;
  now?: Date | undefined;
}>;

/** What happens within this time goes out in one message. */
const gatherMs = 2_000;
const longestPauseMs = 86_400_000;
/** The end of something that nobody was told of is news for this long. */
const newsMs = 86_400_000;
const perRound = 500;

/** Rows with something to tell, and since when it may be told: an end at once, the rest not before `tell_at`. */
const toTell = sql<boolean>`(untold > 0 or (told > 0 and resolved_at is not null))`;
const dueAt = sql<Date>`case when told > 0 and resolved_at is not null then resolved_at else greatest(untold_at, tell_at) end`;

/**
 * Turns what is to be told of alerts into lines for the targets, in one transaction, so that each is queued exactly once however
 * many senders there are. Returns milliseconds until the next is due; null where none waits.
 */
export async function queueAlerts(db: Db, options: QueueAlerts): Promise<number | null> {
  const waitMs = await findWait(db, options.now);
  if (waitMs === null || waitMs > 0) return waitMs;
  await inTransaction(db, async (trx) => {
    const { rows: clock } = await sql<{ at: Date }>`select ${databaseTime(options.now)} as at`.execute(trx);
    const at = clock[0]?.at ?? new Date();
    const due = await trx
      .selectFrom("alerts")
      .selectAll()
      .where(toTell)
      .where(dueAt, "<=", at)
      .orderBy("last_at")
      .orderBy("key")
      .limit(perRound)
      .forUpdate()
      .skipLocked()
      .execute();
    for (const alert of due) await tell(trx, alert, at, options);
  });
  return findWait(db, options.now);
}

async function findWait(db: Db, now: Date | undefined): Promise<number | null> {
  const { rows } = await sql<{ ms: number | null }>`
    select (extract(epoch from min(${dueAt}) - ${databaseTime(now)}) * 1000)::double precision as ms
    from alerts where ${toTell}`.execute(db);
  const ms = rows[0]?.ms ?? null;
  return ms === null ? null : Math.max(0, Math.ceil(ms + gatherMs));
}

async function tell(trx: Db, alert: Row<"alerts">, at: Date, options: QueueAlerts): Promise<void> {
  const { targets, everyMs, timezone, clean } = options;
  const over = alert.resolved_at !== null;
  if (targets.length > 0 && isNews(alert, at, options)) {
    const text = alertLine(alert, { timezone, clean });
    // An end that nobody knew the beginning of tells of both, and is no good news.
    const recovery = over && alert.told > 0;
    await trx
      .insertInto("alert_lines")
      .values(targets.map((target) => ({ target, text, recovery, created_at: at, held_until: null })))
      .execute();
  }
  const pauseMs = over ? everyMs : Math.min(everyMs * 2 ** Math.min(alert.told, 30), longestPauseMs);
  await trx
    .updateTable("alerts")
    .set({
      told: over ? 0 : alert.told + 1,
      untold: 0,
      untold_at: null,
      tell_at: new Date(at.getTime() + pauseMs),
    })
    .where("key", "=", alert.key)
    .execute();
}

function isNews({ key, resolved_at, told }: Row<"alerts">, at: Date, { recovery }: QueueAlerts): boolean {
  if (resolved_at === null) return true;
  // Whoever answered a question knows that it was.
  if (key.startsWith("run:")) return false;
  return told > 0 ? recovery : at.getTime() - resolved_at.getTime() < newsMs;
}
