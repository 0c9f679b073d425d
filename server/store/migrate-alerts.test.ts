import { Kysely, PostgresDialect, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { expect, test } from "vitest";
import { createTestDatabase, type StoreKind, storeKinds, unsyncedPglite } from "../../tests/support/store.ts";
import { silentLog } from "../log.ts";
import { queueAlerts } from "../runs/alerts/queue-alerts.ts";
import { openAlerts } from "../runs/alerts.ts";
import { findDeadRuns, listDeadLetters } from "../runs/dead-letters.ts";
import { connectPglite } from "./connect-pglite.ts";
import { migrate, migrations } from "./migrate.ts";
import { openPostgres } from "./open-postgres.ts";
import type { Tables } from "./tables.ts";

/** A database as it was just before that migration. */
async function databaseBefore(kind: StoreKind, migration: string): Promise<AsyncDisposable & { db: Kysely<Tables> }> {
  const database = kind === "postgres" ? await createTestDatabase() : undefined;
  const dialect =
    database === undefined
      ? (await connectPglite(await unsyncedPglite())).dialect
      : new PostgresDialect({ pool: await openPostgres(database.url, silentLog) });
  const db = new Kysely<Tables>({ dialect });
  const names = Object.keys(migrations).sort();
  const before = names[names.indexOf(migration) - 1];
  if (before === undefined) throw new Error(`nothing comes before ${migration}`);
  const { error } = await new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateTo(before);
  if (error) throw error;
  return {
    db,
    async [Symbol.asyncDispose]() {
      await db.destroy();
      await database?.drop();
    },
  };
}

const error = '{"reason":"fetch_failed","class":"transient","message":"fetch failed"}';
/** Job, state, slot's hour, whether it is a dead letter afterwards. */
const runs: [string, string, number | null, boolean][] = [
  ["a", "failed", null, true],
  ["a", "failed", 1, false],
  ["a", "succeeded", 2, false],
  ["a", "timed_out", 3, true],
  ["a", "out_of_memory", null, true],
  ["a", "crashed", null, true],
  ["a", "denied", null, true],
  ["a", "cancelled", null, false],
  ["a", "needs_decision", null, false],
  ["a", "suspended", null, false],
  ["a", "queued", null, false],
  ["retired", "failed", null, false],
];
const endless = ["needs_decision", "suspended", "queued"];

test.each(storeKinds)("0005: what had failed is a dead letter, and what is open is told once (%s)", async (kind) => {
  await using database = await databaseBefore(kind, "0005-alerts");
  const { db } = database;
  await sql`insert into jobs (name, state) values ('a', 'active'), ('retired', 'retired')`.execute(db);
  for (const [job, state, hour] of runs) {
    const slot = hour === null ? null : `2026-01-05T0${hour}:00:00Z`;
    await sql`
      insert into runs (job, trigger, state, schedule_key, slot, run_at, error, trace_id, requested_by, finished_at)
      values (${job}, 'person', ${state}, ${slot === null ? null : "main"}, ${slot}::timestamptz, now(), ${error}, 't',
        'person', case when ${endless.includes(state)} then null else now() end)`.execute(db);
  }
  await sql`
    insert into alerts (key, message, count, run_id, first_at, last_at, resolved_at) values
      ('job:a:failed', 'R7 of a denied', 3, 7, '2026-01-05T01:00:00Z', '2026-01-05T03:00:00Z', null),
      ('job:b:failed', 'R9 of b failed', 1, 9, '2026-01-05T01:00:00Z', '2026-01-05T01:00:00Z', '2026-01-05T02:00:00Z')`.execute(
    db,
  );

  await migrate(db);
  const wanted = runs.flatMap(([, , , dead], i) => (dead ? [i + 1] : []));
  expect(await findDeadRuns(db, {}, 100)).toEqual(wanted);
  expect(await listDeadLetters(db, { limit: 10 })).toMatchObject([{ job: "a", reason: "fetch_failed", count: 5 }]);
  expect(await openAlerts(db)).toMatchObject([
    { key: "job:a:failed", first_message: "R7 of a denied", count: 3, told: 0 },
  ]);
  const now = new Date("2026-01-05T04:00:00Z");
  const clean = (text: string) => text;
  await queueAlerts(db, { targets: ["me"], everyMs: 3_600_000, recovery: true, timezone: "UTC", clean, now });
  expect(await db.selectFrom("alert_lines").select("text").execute()).toEqual([
    { text: "R7 of a denied (3 times since 2026-01-05 01:00:00 UTC). jr show R7" },
  ]);
});
