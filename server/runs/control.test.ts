import { expect, test } from "vitest";
import { addJob, testManifest, testSchedule } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { UserError } from "../errors.ts";
import { silentLog } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import { checkInput } from "./check-input.ts";
import { requestCancel, requestRun } from "./control.ts";
import { claim } from "./queue/claim.ts";
import { settle } from "./queue/settle.ts";
import { listRuns, requireRun } from "./read.ts";
import { countStarts } from "./too-many-runs.ts";
import { waitForRun } from "./wait-for-run.ts";

const schema = {
  type: "object",
  properties: { names: { type: "array", items: { type: "string" }, default: ["x"] }, n: { type: "number" } },
  additionalProperties: false,
};

test.each([
  ["takes none, none given", null, undefined, "null"],
  ["takes none, some given", null, { n: 1 }, "the job takes no input"],
  ["defaults are filled in", schema, undefined, '{"names":["x"]}'],
  ["valid", schema, { n: 1, names: [] }, '{"names":[],"n":1}'],
  ["wrong type", schema, { n: "1" }, "n: Invalid input: expected number, received string"],
  ["unknown key", schema, { m: 1 }, 'Unrecognized key: "m"'],
] as const)("input: %s", (_, schema, input, expected) => {
  const checked = checkInput(schema === null ? null : structuredClone(JSON.parse(JSON.stringify(schema))), input);
  expect(checked.ok ? String(checked.json) : checked.problems.join("; ")).toBe(expected);
});

const deps = (store: Store, manifest = testManifest()) => ({
  store,
  log: silentLog,
  nudge: () => {},
  approvals: {
    async requireManifest(job: string) {
      if (job === "unsigned") throw new UserError("not_approved", "no");
      return manifest;
    },
  },
});
const order = (job: string) => ({ job, trigger: "host", requestedBy: "test 1", traceId: "t" }) as const;
const never = new AbortController().signal;

test("a caller that the signed manifest does not let in is refused, and so is a circle of jobs", async () => {
  await using store = await testStore();
  for (const job of ["a", "b", "c"]) await addJob(store.db, job);
  const byPerson = deps(store, testManifest({ callers: ["schedule", "person"] }));
  await expect(requestRun(byPerson, order("a"))).rejects.toMatchObject({ code: "permission_denied" });
  const { run: first } = await requestRun(byPerson, { ...order("a"), trigger: "person" });
  const child = (job: string, parentRun: number) =>
    requestRun(deps(store), { ...order(job), trigger: "job", parentRun });
  const { run: second } = await child("b", first.id);
  const { run: third } = await child("c", second.id);
  expect(third.parent_run).toBe(second.id);
  for (const job of ["a", "b", "c"]) {
    await expect(child(job, third.id), job).rejects.toMatchObject({ code: "permission_denied" });
  }
});

test("a job that starts too many runs within an hour is told so, and which limit it is", async () => {
  await using store = await testStore();
  await addJob(store.db, "a");
  const manifest = testManifest({ limits: { ...testManifest().limits, runsPerHour: 2 } });
  const tooManyRuns = countStarts(store.db);
  const starts: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    await requestRun(deps(store), order("a"));
    const [run] = (await claim(store.db, { worker: "w", limit: 1 })).runs;
    if (run === undefined) throw new Error("no run");
    const outcome = await tooManyRuns(run, manifest.limits);
    starts.push(outcome?.error?.limit ?? "starts");
    const ended = outcome ?? ({ state: "succeeded", output: null, error: null } as const);
    await settle(store.db, { runId: run.id, attempt: 1, lease: 1, outcome: ended, retry: null });
  }
  expect(starts).toEqual(["starts", "starts", "runsPerHour"]);
});

test("what may not run is refused with its reason and leaves no run", async () => {
  await using store = await testStore();
  await addJob(store.db, "paused", { state: "paused" });
  await addJob(store.db, "retired", { state: "retired" });
  await addJob(store.db, "unsigned");
  await addJob(store.db, "a");
  for (const [job, code, input] of [
    ["nothing", "job_not_found", undefined],
    ["paused", "job_paused", undefined],
    ["retired", "job_retired", undefined],
    ["unsigned", "not_approved", undefined],
    ["a", "input_invalid", { x: 1 }],
  ] as const) {
    await expect(requestRun(deps(store), { ...order(job), input }), job).rejects.toMatchObject({ code });
  }
  expect((await listRuns(store.db, { limit: 10 })).rows).toEqual([]);
  await expect(requireRun(store.db, "R7")).rejects.toMatchObject({ code: "run_not_found" });
  await expect(requireRun(store.db, "x'; --")).rejects.toMatchObject({ code: "invalid_argument" });
});

test("a dedupe key brings back the same run; lists are paged; a cancel is recorded and not repeated", async () => {
  await using store = await testStore();
  await addJob(store.db, "a");
  const overlapping = deps(store, testManifest({ schedules: [testSchedule({ overlap: "allow" })] }));
  const first = await requestRun(overlapping, { ...order("a"), dedupeKey: "k" });
  const again = await requestRun(overlapping, { ...order("a"), dedupeKey: "k" });
  expect([first.created, again.created, again.run.id]).toEqual([true, false, first.run.id]);
  expect(first.run.concurrency).toBeNull();
  for (let i = 0; i < 4; i++) await requestRun(deps(store), order("a"));
  const page = await listRuns(store.db, { job: "a", limit: 3 });
  expect(page.cursor).not.toBeNull();
  const rest = await listRuns(store.db, { job: "a", limit: 3, cursor: page.cursor });
  const ids = [...page.rows, ...rest.rows].map((run) => run.id);
  expect(ids).toHaveLength(5);
  expect(ids).toEqual(ids.toSorted((a, b) => b - a));
  expect(rest.cursor).toBeNull();
  expect(await requestCancel({ store }, { run: first.run.id, by: "person" })).toMatchObject({ state: "cancelled" });
  await expect(requestCancel({ store }, { run: first.run.id, by: "person" })).rejects.toMatchObject({
    code: "run_not_active",
  });
  expect(await store.db.selectFrom("events").select(["kind", "actor"]).execute()).toEqual([
    { kind: "run.cancelled", actor: "person" },
  ]);
});

test("a wait ends with the run, or with its signal", async () => {
  await using store = await testStore();
  await addJob(store.db, "a");
  const { run } = await requestRun(deps(store), order("a"));
  const hangUp = new AbortController();
  const left = waitForRun({ store }, run.id, { waitSeconds: 50, signal: hangUp.signal });
  hangUp.abort();
  expect((await left).state).toBe("queued");
  const stayed = waitForRun({ store }, run.id, { waitSeconds: 50, signal: never });
  await claim(store.db, { worker: "w", limit: 1 });
  await settle(store.db, {
    runId: run.id,
    attempt: 1,
    lease: 1,
    outcome: { state: "succeeded", output: null, error: null },
    retry: null,
  });
  expect((await stayed).state).toBe("succeeded");
});
