import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestJobs, testJobs } from "../../tests/support/jobs.ts";
import { testPool } from "../../tests/support/sandbox-run.ts";
import type { EffectServices } from "../effects/services.ts";
import type { RunEvent } from "../runs/triggers/run-event.ts";
import type { Pool } from "../sandbox/types.ts";
import { submitJob } from "./submit-job.ts";
import { readTemplate } from "./templates.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

async function install(jobs: TestJobs, name: string, change: (source: string) => string = (source) => source) {
  const source = change((await readTemplate(name)).source);
  const submission = { name, source, note: null, dryRun: false, proposedBy: "test", writeFolder: false };
  expect(await submitJob(jobs.deps, submission)).toMatchObject({ outcome: "created", warnings: [] });
  await jobs.approve(name);
}

async function output(jobs: TestJobs, name: string, event: RunEvent): Promise<unknown> {
  const ended = await jobs.trigger(name, event);
  expect(ended).toMatchObject({ state: "succeeded", error: null });
  return JSON.parse(("output" in ended ? ended.output : null) ?? "null");
}

/** Jobs whose messages are kept. */
async function withMessages() {
  const told: string[] = [];
  const notify: EffectServices["notify"] = async (message) => {
    told.push(`${message.title}: ${message.text}`);
  };
  return { told, jobs: await testJobs(pool, undefined, undefined, { notify }) };
}

const webhook = (body: string): RunEvent => ({
  kind: "webhook",
  headers: {},
  contentType: null,
  body,
  encoding: "utf8",
});

test("webhook-notify tells what matters of what was sent, and takes nothing on trust", async () => {
  const { told, jobs } = await withMessages();
  await using _jobs = jobs;
  await install(jobs, "webhook-notify");
  const send = (body: unknown) =>
    output(jobs, "webhook-notify", webhook(typeof body === "string" ? body : JSON.stringify(body)));
  expect(await send({ service: "db", level: "critical", text: "down" })).toMatchObject({ told: true });
  expect(await send({ service: "db", level: "info", text: "up" })).toEqual({ told: false, why: "info" });
  expect(await send("no JSON")).toEqual({ told: false, why: "not understood" });
  expect(told).toEqual(["db: critical: down"]);
});

test("inbox-report reads the files that changed, and no others", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "jobrunner-inbox-")));
  try {
    await using jobs = await testJobs(pool);
    await install(jobs, "inbox-report", (source) => source.replaceAll('"~/inbox"', JSON.stringify(folder)));
    for (const name of ["a.txt", "b.txt", "c.bin"]) await writeFile(join(folder, name), `${name}\nsecond`);
    const change = (name: string, what: "added" | "deleted" = "added") => ({ path: join(folder, name), change: what });
    const changes = [change("a.txt"), change("c.bin"), change("gone.txt"), change("was.txt", "deleted")];
    expect(await output(jobs, "inbox-report", { kind: "files", changes, more: 0 })).toEqual({
      read: 1,
      total: 1,
      report: "report.md",
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("after-job tells what the other job has found, and that it has failed", async () => {
  const { told, jobs } = await withMessages();
  await using _jobs = jobs;
  await install(jobs, "after-job");
  const event = {
    kind: "after",
    job: "feed-watch",
    run: "R7",
    state: "succeeded",
    outputLeftOut: false,
    error: null,
  } as const;
  await output(jobs, "after-job", { ...event, output: { new: [{ title: "One", link: "https://example.org/1" }] } });
  await output(jobs, "after-job", { ...event, output: { new: [] } });
  const error = { reason: "threw", message: "no feed" };
  await output(jobs, "after-job", { ...event, state: "failed", output: null, error });
  expect(told).toEqual(["1 new: One https://example.org/1", "feed-watch failed: R7: no feed"]);
});

test("a run that no trigger of the signed manifest could have started is denied", async () => {
  await using jobs = await testJobs(pool);
  await install(jobs, "after-job");
  const other = {
    kind: "after",
    job: "other",
    run: "R7",
    state: "succeeded",
    output: null,
    outputLeftOut: false,
    error: null,
  } as const;
  const files: RunEvent = { kind: "files", changes: [], more: 0 };
  for (const event of [webhook("{}"), files, other]) {
    expect(await jobs.trigger("after-job", event)).toMatchObject({
      state: "denied",
      error: { reason: "not_approved" },
    });
  }
});

test("a job that would follow itself, by way of others or not, is not taken", async () => {
  await using jobs = await testJobs(pool);
  const source = (await readTemplate("after-job")).source;
  const submit = (name: string, after: string) =>
    submitJob(jobs.deps, {
      ...{ name, note: null, dryRun: false, proposedBy: "test", writeFolder: false },
      source: source.replace('job: "feed-watch"', `job: "${after}"`),
    });
  const refused = await submit("itself", "itself");
  expect(refused).toMatchObject({ outcome: "rejected" });
  expect(JSON.stringify(refused)).toContain("itself after itself");
});
