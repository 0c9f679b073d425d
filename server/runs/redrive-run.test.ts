import { describe, expect, test } from "vitest";
import { addAttempt, addJob, testManifest } from "../../tests/support/runs.ts";
import { storeKinds, testStore } from "../../tests/support/store.ts";
import { UserError } from "../errors.ts";
import type { Manifest } from "../jobs/manifest.ts";
import { silentLog } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { openAlerts } from "./alerts.ts";
import type { ControlDeps } from "./control.ts";
import { dismissRuns, findDeadRuns } from "./dead-letters.ts";
import { claim } from "./queue/claim.ts";
import { enqueue, type NewRun } from "./queue/enqueue.ts";
import { settle } from "./queue/settle.ts";
import { requireRun } from "./read.ts";
import { redriveJob, redriveRun, redriveRuns } from "./redrive-run.ts";

const slot = new Date("2026-01-05T08:00:00Z");
const input = {
  type: "object",
  properties: { n: { type: "number" }, big: { type: "boolean", default: false } },
  additionalProperties: false,
};
const by = { trigger: "host", requestedBy: "host 1.0", traceId: "t" } as const;

/** What the active version says. */
function deps(store: Store, manifest: Manifest = testManifest({ input })): ControlDeps {
  return {
    store,
    log: silentLog,
    approvals: { requireManifest: async () => manifest },
  };
}

const unsigned = (store: Store): ControlDeps => ({
  store,
  log: silentLog,
  approvals: {
    async requireManifest() {
      throw new UserError("not_approved", "no approval");
    },
  },
});

/** The run that is due, ended like that. */
async function end({ db }: Store, state: "succeeded" | "failed"): Promise<Row<"runs">> {
  const [run] = (await claim(db, { worker: "w", limit: 1 })).runs;
  if (run === undefined) throw new Error("nothing to claim");
  await addAttempt(db, run, 1);
  const error = { reason: "threw", class: "transient", message: "no" } as const;
  const outcome = { state, output: null, error: state === "failed" ? error : null };
  const ended = await settle(db, { runId: run.id, attempt: 1, lease: run.lease, outcome, retry: null });
  if (ended === undefined) throw new Error("not settled");
  return ended;
}

async function failed(store: Store, more: Partial<NewRun> = {}): Promise<Row<"runs">> {
  await enqueue(store.db, { job: "a", trigger: "person", requestedBy: "person", traceId: "t0", ...more });
  return end(store, "failed");
}

const dead = (store: Store) => findDeadRuns(store.db, {}, 2_000);

describe.each(storeKinds)("redrive on %s", (kind) => {
  test("a dead letter is asked for once more: same input, same slot, once, however many ask at a time", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    const from = await failed(store, { input: '{"n":7}', scheduleKey: "main", slot, trigger: "schedule" });
    const all = await Promise.all([1, 2, 3, 4].map(() => redriveRun(deps(store), `R${from.id}`, by)));
    const [first, ...others] = all.toSorted((a, b) => Number(b.created) - Number(a.created));
    expect(first).toMatchObject({ created: true });
    for (const other of others) expect(other).toMatchObject({ created: false, as: first?.as });
    const made = await requireRun(store.db, first?.as ?? 0);
    expect(made).toMatchObject({
      job: "a",
      state: "queued",
      trigger: "host",
      requested_by: "host 1.0",
      // Checked against the active version, which has a default that the first one had not.
      input: '{"n":7,"big":false}',
      slot,
      schedule_key: null,
      redrive_of: from.id,
      attempt: 0,
    });
    expect(await requireRun(store.db, from.id)).toMatchObject({ state: "failed", dead: false, redriven_as: made.id });
    expect(await dead(store)).toEqual([]);
    const events = await store.db.selectFrom("events").select(["kind", "actor", "subject", "detail"]).execute();
    expect(events).toEqual([
      { kind: "run.redriven", actor: "host 1.0", subject: `run:R${from.id}`, detail: `{"as":"R${made.id}"}` },
    ]);
  });

  test("what fails again is a dead letter of its own; what succeeds ends the alert", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    const from = await failed(store);
    const { as } = await redriveRun(deps(store, testManifest()), from.id, by);
    await end(store, "failed");
    expect(await dead(store)).toEqual([as]);
    expect(await openAlerts(store.db)).toMatchObject([{ key: "job:a:failed", count: 2 }]);
    const { as: last } = await redriveRun(deps(store, testManifest()), as, by);
    expect(await end(store, "succeeded")).toMatchObject({ id: last });
    expect(await dead(store)).toEqual([]);
    expect(await openAlerts(store.db)).toEqual([]);
  });

  test("what may not run stays a dead letter", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    const good = await failed(store, { input: '{"n":7}' });
    const odd = await failed(store, { input: '{"old":1}' });
    const only = testManifest({ input, callers: ["schedule", "person"] });
    await expect(redriveRun(unsigned(store), good.id, by)).rejects.toMatchObject({ code: "not_approved" });
    await expect(redriveRun(deps(store, only), good.id, by)).rejects.toMatchObject({ code: "permission_denied" });
    await expect(redriveRun(deps(store), odd.id, by)).rejects.toMatchObject({ code: "input_invalid" });
    await expect(redriveRun(deps(store), "R999", by)).rejects.toMatchObject({ code: "run_not_found" });
    await db.updateTable("jobs").set({ state: "paused", paused_by: "agent" }).execute();
    await expect(redriveRun(deps(store), good.id, by)).rejects.toMatchObject({ code: "job_paused" });
    expect(await dead(store)).toEqual([good.id, odd.id]);
    expect(await db.selectFrom("runs").select("id").execute()).toHaveLength(2);
  });

  test("a job's dead letters are redriven from the oldest on; one that is refused does not keep the others", async () => {
    await using store = await testStore(kind);
    await addJob(store.db, "a");
    await addJob(store.db, "b");
    const ids: number[] = [];
    for (const n of ['{"n":1}', '{"old":1}', '{"n":2}']) ids.push((await failed(store, { input: n })).id);
    const other = await failed(store, { job: "b" });
    const { redriven, refused } = await redriveJob(deps(store), { job: "a" }, by);
    expect(redriven.map(({ from, created }) => [from.id, created])).toEqual([
      [ids[0], true],
      [ids[2], true],
    ]);
    expect(refused).toMatchObject([{ run: `R${ids[1]}`, error: { code: "input_invalid" } }]);
    expect(redriven.map(({ as }) => as)).toEqual(redriven.map(({ as }) => as).toSorted((a, b) => a - b));
    expect(await dead(store)).toEqual([ids[1], other.id]);
    expect(await redriveJob(deps(store), { job: "a", reason: "fetch_failed" }, by)).toEqual({
      redriven: [],
      refused: [],
    });
    await expect(redriveJob(deps(store), { job: "nothing" }, by)).rejects.toMatchObject({ code: "job_not_found" });
    await expect(redriveJob(unsigned(store), { job: "b" }, by)).rejects.toMatchObject({ code: "not_approved" });
  });
});

test("one that was dismissed can be redriven by name; what did not fail cannot", async () => {
  await using store = await testStore();
  await addJob(store.db, "a");
  const gone = await failed(store);
  await dismissRuns(store.db, { runs: [gone.id], by: "person", traceId: "t" });
  await enqueue(store.db, { job: "a", trigger: "person", requestedBy: "person", traceId: "t" });
  const good = await end(store, "succeeded");
  const { redriven, refused } = await redriveRuns(deps(store, testManifest()), [`R${gone.id}`, good.id, "R77"], by);
  expect(redriven).toMatchObject([{ from: { id: gone.id }, created: true }]);
  expect(refused).toMatchObject([
    { run: `R${good.id}`, error: { code: "run_not_dead" } },
    { run: "R77", error: { code: "run_not_found" } },
  ]);
});

test("which run it became is told even when retention has deleted that one", async () => {
  await using store = await testStore();
  await addJob(store.db, "a");
  const from = await failed(store);
  const { as } = await redriveRun(deps(store, testManifest()), from.id, by);
  await store.db.deleteFrom("runs").where("id", "=", as).execute();
  expect(await redriveRun(deps(store, testManifest()), from.id, by)).toMatchObject({ as, created: false });
});
