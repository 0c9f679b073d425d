import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resuming } from "../../tests/support/resuming.ts";
import { addAttempt, addJob, testPermissions } from "../../tests/support/runs.ts";
import { testPool } from "../../tests/support/sandbox-run.ts";
import { storeKinds, testStore } from "../../tests/support/store.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Db } from "../store/open-store.ts";
import type { Row, RunState } from "../store/tables.ts";
import { openAlerts } from "./alerts.ts";
import { answerQuestion } from "./answer-question.ts";
import { holdRestoredRuns, releaseRuns } from "./hold-restored-runs.ts";
import { claim } from "./queue/claim.ts";
import { enqueue } from "./queue/enqueue.ts";
import { settle } from "./queue/settle.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

const madeAt = new Date("2026-11-01T00:00:00Z");
const backup = { madeAt, activeVersion: () => 1 };
const reaching = { permissions: testPermissions({ net: [{ host: "example.org", port: null, private: false }] }) };
const error = { reason: "threw", class: "transient", message: "no" } as const;

/** A run of the job in each state in which one can be cut off. */
async function liveRun(db: Db, job: string, state: "waiting" | "retry" | "running" | "put_back" | "asleep" | "ended") {
  const order = { job, trigger: "person", concurrency: null, requestedBy: "person", traceId: "t" } as const;
  const { run } = await enqueue(db, order);
  if (state === "waiting") return run.id;
  const [claimed] = (await claim(db, { worker: "old", limit: 1 })).runs;
  if (claimed === undefined) throw new Error("no run is due");
  await addAttempt(db, claimed, 1);
  await db.updateTable("attempts").set({ guest_runtime: "g" }).where("run_id", "=", run.id).execute();
  await db.updateTable("runs").set({ version: 1 }).where("id", "=", run.id).execute();
  const { attempt, lease } = claimed;
  const end = (outcome: Parameters<typeof settle>[1]["outcome"]) =>
    settle(db, {
      runId: run.id,
      attempt,
      lease,
      outcome,
      retry: { attempts: 3, backoff: "fixed", delayMs: 60_000, maxDelayMs: 60_000 },
    });
  if (state === "retry") await end({ state: "failed", error, output: null });
  if (state === "put_back") await end({ state: "put_back", error });
  if (state === "asleep") await end({ state: "suspended", wakeAt: null, activeMs: 5 });
  if (state === "ended") await end({ state: "succeeded", output: "1", error: null });
  return run.id;
}

const read = (db: Db, id: number) => db.selectFrom("runs").selectAll().where("id", "=", id).executeTakeFirstOrThrow();

describe.each(storeKinds)("runs that a backup holds as live, on %s", (kind) => {
  test("each waits for a person, and nothing else of it changes", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "reaching", reaching);
    const states = ["waiting", "retry", "running", "put_back", "asleep"] as const;
    const ids: number[] = [];
    // Due runs are claimed in order, so those that stay due come last.
    for (const state of ["ended", "retry", "running", "asleep", "put_back", "waiting"] as const)
      ids.push(await liveRun(db, "reaching", state));
    const [ended = 0, ...live] = ids;
    const before = await read(db, ended);
    expect(await holdRestoredRuns(db, backup)).toEqual({ asked: live, goOn: [] });
    expect(live).toHaveLength(states.length);
    expect(await read(db, ended)).toEqual(before);
    for (const id of live) {
      const run = await read(db, id);
      expect([run.state, run.lease_owner, JSON.parse(run.error ?? "{}").reason]).toEqual([
        "needs_decision",
        null,
        "restored",
      ]);
    }
    expect((await claim(db, { worker: "new", limit: 10, now: new Date("2030-01-01T00:00:00Z") })).runs).toEqual([]);
    expect((await openAlerts(db)).filter(({ key }) => key.endsWith(":question"))).toHaveLength(live.length);
    // A second restore of the same backup asks no more than once.
    expect((await holdRestoredRuns(db, backup)).asked).toEqual(live);
    expect(await db.selectFrom("questions").selectAll().execute()).toHaveLength(live.length);
  });

  test("one goes on, or ends, as the person says", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "reaching", reaching);
    const states = ["running", "retry", "waiting"] as const;
    const ids: number[] = [];
    for (const state of states) ids.push(await liveRun(db, "reaching", state));
    const dropped = await liveRun(db, "reaching", "waiting");
    await holdRestoredRuns(db, backup);
    for (const id of ids) await answerQuestion({ store }, { run: id, value: "resume", by: "person" });
    await answerQuestion({ store }, { run: dropped, value: "fail", by: "person" });
    expect((await read(db, dropped)).state).toBe("failed");
    const { runs } = await claim(db, { worker: "new", limit: 10 });
    const attempts = new Map(runs.map(({ id, attempt }) => [id, attempt]));
    // The one that was cut off goes on with its attempt; the others are at the next, which is their first or second.
    expect(ids.map((id) => attempts.get(id))).toEqual([1, 2, 1]);
    expect(await openAlerts(db)).toEqual([expect.objectContaining({ key: "job:reaching:failed" })]);
  });

  test("runs that reach nothing outside, or may be repeated, go on as after a crash", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "inside", { permissions: testPermissions({ llm: ["m"] }) });
    await addJob(db, "repeats", { ...reaching, onUncertain: "repeat" });
    const ids = [await liveRun(db, "inside", "running"), await liveRun(db, "repeats", "running")];
    ids.push(await liveRun(db, "inside", "waiting"));
    expect(await holdRestoredRuns(db, backup)).toEqual({ asked: [], goOn: ids });
    const { runs } = await claim(db, { worker: "new", limit: 10 });
    const claimed = runs.map(({ id, attempt }) => [id, attempt]);
    expect(claimed.sort()).toEqual(ids.map((id) => [id, 1]));
  });

  test("one whose version is not known, or that somebody cancelled, does not go on", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "inside");
    const cancelled = await liveRun(db, "inside", "running");
    await db.updateTable("runs").set({ cancel_requested_at: madeAt }).where("id", "=", cancelled).execute();
    const unknown = await liveRun(db, "inside", "waiting");
    const held = await holdRestoredRuns(db, { madeAt, activeVersion: () => undefined });
    expect(held).toEqual({ asked: [unknown], goOn: [cancelled] });
    const states: RunState[] = [(await read(db, cancelled)).state, (await read(db, unknown)).state];
    expect(states).toEqual(["cancelled", "needs_decision"]);
  });

  test("moved to another store, what ran goes back into the queue and the rest stays as it is", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "reaching", reaching);
    const asleep = await liveRun(db, "reaching", "asleep");
    const running = await liveRun(db, "reaching", "running");
    const before: Row<"runs"> = await read(db, asleep);
    await releaseRuns(db);
    expect(await read(db, asleep)).toEqual(before);
    expect(await read(db, running)).toMatchObject({ state: "queued", resumes: true, attempt: 1, lease_owner: null });
  });
});

test("a run that had not begun begins when the person says so, with the clock of that moment", async () => {
  await using store = await testStore();
  const source = `import { defineJob } from "jobrunner";
export default defineJob({ description: "tells the time", run: () => Date.now() });`;
  const job = await resuming(store, pool, source, reaching);
  const { id } = await job.order();
  await holdRestoredRuns(store.db, backup);
  const answeredAt = Date.now();
  await answerQuestion({ store }, { run: id, value: "resume", by: "person" });
  const { settlement } = await job.work();
  expect(settlement).toMatchObject({ state: "succeeded" });
  const { output, attempt } = await read(store.db, id);
  expect([attempt, Number(output) >= answeredAt]).toEqual([1, true]);
  const attempts = await store.db.selectFrom("attempts").selectAll().execute();
  expect(attempts.map(({ version, resumed, start_ms }) => [version, resumed, start_ms])).toEqual([
    [1, 0, Number(output)],
  ]);
});
