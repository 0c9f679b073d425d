/*
 * What journalling costs: kv.set as a run does it, on PGlite on disk with each commit synced, beside a plain insert of the same
 * entry through kysely. Both alternate, so that they share the machine's moods. `node tests/bench/effects.ts [rounds]`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { effects } from "../../server/effects/table.ts";
import { silentLog } from "../../server/log.ts";
import { performEffects } from "../../server/runs/perform-effects.ts";
import { claim } from "../../server/runs/queue/claim.ts";
import { enqueue } from "../../server/runs/queue/enqueue.ts";
import type { EffectReply } from "../../server/sandbox/types.ts";
import { type Db, openStore } from "../../server/store/open-store.ts";
import { addAttempt, addJob, testManifest, testServices } from "../support/runs.ts";

const rounds = Number(process.argv[2] ?? 300);
const warmUp = 30;
const dataDir = await mkdtemp(join(tmpdir(), "jobrunner-bench-"));

async function claimedRun(db: Db) {
  await addJob(db, "bench");
  await enqueue(db, { job: "bench", trigger: "host", requestedBy: "bench", traceId: "bench", concurrency: null });
  const { runs } = await claim(db, { worker: "bench", limit: 1 });
  const [run] = runs;
  if (run === undefined) throw new Error("nothing was claimed");
  await addAttempt(db, run, 1);
  return run;
}

async function measured(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

function quantile(times: readonly number[], share: number): number {
  const sorted = times.slice(warmUp).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function line(what: string, times: readonly number[]): void {
  const [p50, p95] = [quantile(times, 0.5).toFixed(2), quantile(times, 0.95).toFixed(2)];
  process.stdout.write(`${what.padEnd(52)} p50 ${p50} ms, p95 ${p95} ms\n`);
}

try {
  await using store = await openStore({ dataDir: join(dataDir, "data"), databaseUrl: null, log: silentLog });
  const { db } = store;
  const run = await claimedRun(db);
  const performed = performEffects({
    db,
    effects,
    startMs: 0,
    lease: run.lease,
    journal: [],
    uncertain: async () => "skip",
    recheck: async () => {},
    context: {
      job: "bench",
      runId: run.id,
      attempt: run.attempt,
      manifest: testManifest(),
      seed: "0".repeat(32),
      traceId: "bench",
      services: testServices(),
      secrets: { get: () => undefined, names: () => [] },
      clock: () => new Date(),
      log: silentLog,
    },
  });
  const journalled: number[] = [];
  const plain: number[] = [];
  for (let seq = 1; seq <= rounds + warmUp; seq++) {
    const call = { seq, op: "kv.set", argsJson: JSON.stringify({ key: `effect-${seq}`, value: seq }) };
    journalled.push(
      await measured(async () => {
        const reply = Promise.withResolvers<EffectReply>();
        await performed.onEffect(call, reply.resolve);
        const { ok, json } = await reply.promise;
        if (!ok) throw new Error(json);
      }),
    );
    const entry = { job: "bench", key: `plain-${seq}`, value: String(seq), updated_at: new Date(), revision: 1 };
    plain.push(await measured(() => db.insertInto("kv").values(entry).execute()));
  }
  await performed.end();
  line("journalled kv.set (PGlite on disk, synced)", journalled);
  line("the same row by a plain insert of kysely", plain);
  const ratio = (share: number) => (quantile(journalled, share) / quantile(plain, share)).toFixed(1);
  process.stdout.write(`${"ratio".padEnd(52)} p50 ${ratio(0.5)}, p95 ${ratio(0.95)} (${rounds} rounds)\n`);
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
