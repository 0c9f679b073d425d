import { expect, test } from "vitest";
import { addAttempt, addJob } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";
import { claim } from "./queue/claim.ts";
import { enqueue } from "./queue/enqueue.ts";
import { settle } from "./queue/settle.ts";
import { listRuns } from "./read.ts";
import { enforceRetention } from "./retention.ts";

const now = new Date("2026-06-01T00:00:00Z");
const daysAgo = (days: number) => new Date(now.getTime() - days * 86_400_000);
const order = (job: string) =>
  ({ job, trigger: "host", requestedBy: "test 1", traceId: "t", concurrency: null }) as const;

async function finishedRun(db: Db, job: string, at: Date): Promise<number> {
  await enqueue(db, { ...order(job), now: at });
  const [run] = (await claim(db, { worker: "w", limit: 1, now: at })).runs;
  if (run === undefined) throw new Error("nothing to claim");
  await addAttempt(db, run, 1);
  await settle(db, {
    runId: run.id,
    attempt: 1,
    lease: 1,
    outcome: { state: "succeeded", output: null, error: null },
    retry: null,
    now: at,
  });
  return run.id;
}

async function addBlob(db: Db, text: string, created_at: Date): Promise<string> {
  const hash = sha256(text);
  await db
    .insertInto("blobs")
    .values({ hash, bytes: Buffer.from(text), created_at })
    .execute();
  return hash;
}

test.each(["pglite", "postgres"] as const)(
  "finished runs and unreferenced blobs go, in batches, and nothing else (%s)",
  async (kind) => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    await addJob(db, "b");
    for (let i = 0; i < 7; i++) await finishedRun(db, "a", daysAgo(40 - i));
    const kept: number[] = [];
    for (let i = 0; i < 5; i++) kept.push(await finishedRun(db, "a", daysAgo(9 - i)));
    kept.push(await finishedRun(db, "b", daysAgo(1)));
    const waiting = await enqueue(db, { ...order("b"), now: daysAgo(400) });

    const inJournal = await addBlob(db, "journal", daysAgo(90));
    const inSnapshot = await addBlob(db, "snapshot", daysAgo(90));
    const young = await addBlob(db, "young", now);
    const orphan = await addBlob(db, "orphan", daysAgo(90));
    await db
      .updateTable("versions")
      .set({ snapshot: JSON.stringify({ files: { "a.ts": { hash: inSnapshot } } }) })
      .execute();
    const latest = kept.at(-1) ?? 0;
    await db
      .insertInto("journal")
      .values({
        run_id: latest,
        attempt: 1,
        seq: 1,
        op: "fetch",
        args: "{}",
        safe: true,
        state: "done",
        outcome: "ok",
        result: null,
        result_hash: inJournal,
        delivered: 1,
        guest_ms: 1,
        started_at: now,
        ended_at: now,
      })
      .execute();

    const result = await enforceRetention(db, { days: 30, runsPerJob: 3, now, batch: 2 });
    expect(result).toEqual({ runs: 9, slots: 0, blobs: 1 });
    const left = (await listRuns(db, { limit: 100 })).rows.map((run) => run.id);
    expect(left).toEqual([waiting.run.id, ...kept.slice(2).reverse()]);
    const hashes = (await db.selectFrom("blobs").select("hash").execute()).map((blob) => blob.hash);
    expect(hashes.sort()).toEqual([sha256(""), inJournal, inSnapshot, young].sort());
    expect(hashes).not.toContain(orphan);
    expect(await enforceRetention(db, { days: 30, runsPerJob: 3, now })).toEqual({ runs: 0, slots: 0, blobs: 0 });
  },
);
