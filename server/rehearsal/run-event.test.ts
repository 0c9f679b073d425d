import { afterAll, beforeAll, expect, test } from "vitest";
import { testJobs } from "../../tests/support/jobs.ts";
import { resuming } from "../../tests/support/resuming.ts";
import { testPool } from "../../tests/support/sandbox-run.ts";
import { testStore } from "../../tests/support/store.ts";
import { effects } from "../effects/table.ts";
import { submitJob } from "../jobs/submit-job.ts";
import { enqueue } from "../runs/queue/enqueue.ts";
import { settle } from "../runs/queue/settle.ts";
import { requireRun } from "../runs/read.ts";
import { redriveRun } from "../runs/redrive-run.ts";
import { formatRunEvent, parseRunEvent, type RunEvent, readRunEvent } from "../runs/triggers/run-event.ts";
import type { Pool } from "../sandbox/types.ts";
import { createRehearse } from "./create-rehearse.ts";
import { readRehearsedVersion } from "./read-version.ts";
import { replayRun } from "./replay-run.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

const signal = new AbortController().signal;
const event: RunEvent = {
  kind: "webhook",
  headers: { "x-from": "test" },
  contentType: "text/plain",
  body: "hello \u0000 \u{1f600}",
  encoding: "utf8",
};
const source = `import { defineJob } from "jobrunner";
export default defineJob({
  description: "Gives back what started it",
  triggers: { webhook: true },
  async run({ run, kv, log }) {
    await kv.set("last", run.trigger);
    log.info(run.event === null ? "by hand" : run.event.kind);
    if (run.event?.kind === "webhook" && run.event.body === "fail") throw new Error("asked to fail");
    return { trigger: run.trigger, event: run.event };
  },
});
`;

test("the event is the job's to read, in rehearsals of the run and of another event, and in a replay", async () => {
  await using jobs = await testJobs(pool);
  const { db } = jobs.deps.store;
  const submission = { name: "hook", source, note: null, dryRun: false, proposedBy: "test", writeFolder: false };
  expect(await submitJob(jobs.deps, submission)).toMatchObject({ outcome: "created", warnings: [] });
  await jobs.approve("hook");
  const ended = await jobs.trigger("hook", event);
  const output = "output" in ended ? JSON.parse(ended.output ?? "null") : null;
  expect(output).toEqual({ trigger: "webhook", event });
  const byHand = await jobs.run("hook");
  expect("output" in byHand && byHand.output).toBe('{"trigger":"person","event":null}');

  const rehearse = createRehearse({ db, pool, effects, clock: jobs.deps.clock });
  const version = await readRehearsedVersion(db, "hook");
  const outputOf = async (more: { event?: RunEvent; run?: string }) =>
    JSON.parse((await rehearse({ version, ...more })).output ?? "null");
  expect(await outputOf({})).toEqual({ trigger: "person", event: null });
  expect(await outputOf({ run: "R1" })).toEqual({ trigger: "webhook", event });
  const files = parseRunEvent({ kind: "files", changes: [{ path: "/in/a", change: "added" }] });
  expect(await outputOf({ event: files, run: "R1" })).toEqual({ trigger: "files", event: { ...files, more: 0 } });
  expect(await replayRun({ db, pool }, { run: "R1", signal })).toMatchObject({ verdict: "identical" });
  // The replay looks: with another event it is not the same.
  await db
    .updateTable("run_events")
    .set({ event: formatRunEvent({ ...event, body: "other" }) })
    .execute();
  expect(await replayRun({ db, pool }, { run: "R1", signal })).toMatchObject({ verdict: "differs" });
});

test("a redriven run gets the event of the one that failed", async () => {
  await using jobs = await testJobs(pool);
  const { db } = jobs.deps.store;
  const submission = { name: "hook", source, note: null, dryRun: false, proposedBy: "test", writeFolder: false };
  await submitJob(jobs.deps, submission);
  await jobs.approve("hook");
  expect(await jobs.trigger("hook", { ...event, body: "fail" })).toMatchObject({ state: "failed" });
  const by = { trigger: "person", requestedBy: "person", traceId: "t" } as const;
  const { as } = await redriveRun(jobs.deps, "R1", by);
  expect(await readRunEvent(db, await requireRun(db, as))).toEqual({ ...event, body: "fail" });
});

test("an attempt that was cut off goes on with the same event", async () => {
  await using store = await testStore();
  const triggers = { after: [], files: [], webhook: true };
  const job = await resuming(store, pool, source, { triggers });
  const order = { job: "test", trigger: "webhook", requestedBy: "webhook", traceId: "t" } as const;
  const { run } = await enqueue(store.db, { ...order, event: formatRunEvent(event) });
  await job.work((step) => step >= 1);
  await settle(store.db, {
    ...{ runId: run.id, attempt: 1, lease: 1, retry: null },
    outcome: { state: "lost", error: { reason: "crashed", class: "transient", message: "gone" } },
  });
  const { settlement } = await job.work();
  expect(settlement).toMatchObject({ state: "succeeded", output: JSON.stringify({ trigger: "webhook", event }) });
});

test.each([
  [
    { kind: "webhook", body: "{}" },
    { kind: "webhook", body: "{}", headers: {}, contentType: null, encoding: "utf8" },
  ],
  [
    { kind: "after", job: "backup", output: [1] },
    { kind: "after", job: "backup", run: "R0", state: "succeeded" },
  ],
])("an event for a rehearsal is filled in: %j", (given, expected) => {
  expect(parseRunEvent(given)).toMatchObject(expected);
});

test.each([[{ kind: "schedule" }], [{ kind: "webhook" }], ["text"], [{ kind: "after", job: "a", more: 1 }]])(
  "no event: %j",
  (given) => {
    expect(() => parseRunEvent(given)).toThrow(/none that a trigger makes/);
  },
);
