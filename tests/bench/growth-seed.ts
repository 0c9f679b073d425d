import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { canonicalJson } from "../../server/canonical-json.ts";
import { type Home, homePaths } from "../../server/home.ts";
import { silentLog } from "../../server/log.ts";
import { createApprovals, type OwnedApprovals } from "../../server/review/approvals.ts";
import { startChain } from "../../server/review/chain.ts";
import { createKeyFile, openKey, type SigningKey } from "../../server/review/key-file.ts";
import { signDecision } from "../../server/review/sign.ts";
import { addTrustedKey } from "../../server/review/trusted-keys.ts";
import { sha256 } from "../../server/sha256.ts";
import type { Db, Store } from "../../server/store/open-store.ts";
import { testManifest, testSchedule } from "../support/runs.ts";

/* Fills a store with jobs and history, by few statements. */

export type SeededHome = AsyncDisposable &
  Readonly<{
    home: Home;
    key: SigningKey;
    approvals(store: Store): Promise<OwnedApprovals>;
  }>;

/** A home with a signing key that is trusted there. */
export async function seedHome(): Promise<SeededHome> {
  const root = await realpath(await mkdtemp(join(tmpdir(), "jobrunner-bench-")));
  const home = homePaths({ JOBRUNNER_HOME: join(root, "home") });
  const key = openKey(createKeyFile({ passphrase: null, label: null, now: new Date() }), "");
  addTrustedKey(home, key.publicKey, new Date());
  return {
    home,
    key,
    approvals: (store) => createApprovals({ store, home, log: silentLog }),
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  };
}

export const jobName = (n: number) => `job-${String(n).padStart(5, "0")}`;

const bundle = "module.exports = {}";
const schedule = testSchedule({ cron: "0 * * * *", overlap: "allow" });
/** Of a job, no two alike. */
const manifestOf = (job: string) => canonicalJson(testManifest({ description: `of ${job}`, schedules: [schedule] }));

/** So many approved jobs, each with a schedule whose next slot is an hour or more away. */
export async function seedJobs(db: Db, key: SigningKey, count: number): Promise<void> {
  const snapshot = canonicalJson({ entry: "job.ts", files: { "job.ts": { hash: sha256("source"), bytes: 6 } } });
  for (const text of [bundle, "source"]) {
    await db
      .insertInto("blobs")
      .values({ hash: sha256(text), bytes: Buffer.from(text) })
      .execute();
  }
  const names = sql`(select 'job-' || lpad(n::text, 5, '0') as name, n from generate_series(0, ${count - 1}::integer) as n) as each`;
  await sql`insert into jobs (name, state, path) select name, 'active', name || '.ts' from ${names}`.execute(db);
  await sql`insert into versions (job, number, state, source_hash, bundle_hash, manifest_hash, manifest, snapshot, packages,
      checks, compiler, runtime, proposed_by)
    select name, 1, 'approved', ${sha256(snapshot)}, ${sha256(bundle)}, 'sha256:' || encode(sha256(manifest::bytea), 'hex'),
      manifest, ${snapshot}, '[]', '[]', 'bench', 'bench', 'bench'
    from ${names}, lateral (select replace(${manifestOf("JOB")}, 'JOB', name) as manifest) as own`.execute(db);
  await sql`insert into schedules (job, key, version, spec, next_slot)
    select name, ${schedule.key}, 1, ${canonicalJson(schedule)}, date_trunc('hour', now()) + interval '2 hours'
      from ${names}`.execute(db);
  let previous = startChain([]).head.hash;
  const rows = Array.from({ length: count }, (_, n) => {
    const signed = signDecision(key, {
      kind: "job",
      name: jobName(n),
      version: 1,
      source: sha256(snapshot),
      bundle: sha256(bundle),
      manifest: sha256(manifestOf(jobName(n))),
      compiler: "bench",
      runtime: "bench",
      decision: "approve",
      time: new Date().toISOString(),
      previous,
    });
    const row = {
      kind: "job",
      name: jobName(n),
      version: 1,
      decision: "approve",
      text: signed.text,
      signature: signed.signature,
      key_id: key.publicKey.id,
      hash: signed.hash,
      previous,
    };
    previous = signed.hash;
    return row;
  });
  for (let at = 0; at < rows.length; at += 500) {
    await db
      .insertInto("decisions")
      .values(rows.slice(at, at + 500))
      .execute();
  }
  await sql`analyze`.execute(db);
}

/**
 * So many finished runs of these jobs, spread over 80 days, each with an attempt, two effects and a line of log; one in fifty failed,
 * and is a dead letter where it is young.
 */
export async function seedHistory(db: Db, jobs: number, runs: number): Promise<void> {
  const at = sql`now() - (${runs}::double precision - n) / ${runs}::double precision * interval '80 days'`;
  const failed = sql`n % 50 = 0`;
  await db.connection().execute(async (one) => {
    // References are right by construction; checking each would take most of the time.
    await sql`set session_replication_role = replica`.execute(one);
    await sql`insert into runs (job, version, trigger, schedule_key, slot, state, run_at, attempt, lease, error, dead, trace_id,
        requested_by, created_at, started_at, finished_at)
      select 'job-' || lpad((n % ${jobs}::integer)::text, 5, '0'), 1, 'schedule', 'main', ${at}, case when ${failed} then 'failed' else 'succeeded' end,
        ${at}, 1, 1, case when ${failed} then '{"reason":"error","class":"transient","message":"no"}' end,
        ${failed} and n > ${runs}::integer * 0.99, 'trace', 'schedule', ${at}, ${at} + interval '20 milliseconds', ${at} + interval '2 seconds'
      from generate_series(1, ${runs}::integer) as n`.execute(one);
    await sql`insert into attempts (run_id, attempt, version, worker, seed, start_ms, state, started_at, ended_at)
      select id, 1, 1, 'bench', repeat('0', 32), 0, state, started_at, finished_at from runs
      on conflict do nothing`.execute(one);
    await sql`insert into journal (run_id, attempt, seq, op, args, safe, state, outcome, result, delivered, started_at, ended_at)
      select id, 1, seq, 'kv.set', '{"key":"a","value":1}', true, 'done', 'ok', 'null', seq, started_at, finished_at
      from runs cross join generate_series(1, 2) as seq on conflict do nothing`.execute(one);
    await sql`insert into run_logs (run_id, attempt, n, level, text, at)
      select id, 1, 1, 'info', 'a line', started_at from runs on conflict do nothing`.execute(one);
    await sql`set session_replication_role = default`.execute(one);
  });
  await sql`vacuum analyze`.execute(db);
}
