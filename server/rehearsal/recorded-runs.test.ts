import { once } from "node:events";
import { createServer } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type TestJobs, testJobs } from "../../tests/support/jobs.ts";
import { jobSource, testPool } from "../../tests/support/sandbox-run.ts";
import { effects } from "../effects/table.ts";
import { submitJob } from "../jobs/submit-job.ts";
import { readReviewMaterial } from "../review/read-review-material.ts";
import { composeReview } from "../review/review.ts";
import { reviewMarkdown } from "../review/review-text.ts";
import type { Pool } from "../sandbox/types.ts";
import { createBehaviourDiff } from "./behaviour-diff.ts";
import { createRehearse } from "./create-rehearse.ts";
import { rehearseJob } from "./rehearse-job.ts";
import { replayRun } from "./replay-run.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

const never = new AbortController().signal;

/** A server on loopback that counts what it was asked, and answers with that count. */
async function countingServer() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end(String(asked.length));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    host: `127.0.0.1:${port}`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A home whose submissions are rehearsed. */
async function rehearsing() {
  const jobs = await testJobs(pool);
  const { store, clock, log } = jobs.deps;
  const deps = {
    ...jobs.deps,
    rehearse: createRehearse({ db: store.db, pool, effects, clock }),
    diffBehaviour: createBehaviourDiff({ db: store.db, pool, effects, log }),
  };
  return { ...jobs, deps, [Symbol.asyncDispose]: () => jobs[Symbol.asyncDispose]() };
}

async function submit(deps: TestJobs["deps"], source: string) {
  const submission = { name: "watch", source, note: null, dryRun: false, proposedBy: "test", writeFolder: true };
  const result = await submitJob(deps, submission);
  if (result.outcome === "rejected") throw new Error(JSON.stringify(result.diagnostics));
  return result;
}

const grants = (host: string) => `permissions: { net: [{ host: "${host}", private: true }] },`;

/** Reads a counter from kv, gets three pages at a time, posts what it found and logs. */
function counting(host: string, post = "total", path = "/c"): string {
  return jobSource(
    `const before = Number((await kv.get("runs")) ?? 0);
     const pages = await Promise.all(["/a", "/b", "${path}"].map(async (at) => (await fetch("http://${host}" + at)).text()));
     log.info("pages " + pages.join() + " " + Date.now() + " " + Math.random());
     await fetch("http://${host}/sum", { method: "POST", body: "${post} " + pages.length });
     await kv.set("runs", before + 1);
     return { pages, at: Date.now(), id: crypto.randomUUID() };`,
    grants(host),
  );
}

test("a submission is rehearsed without touching anything, and its version keeps what it did", async () => {
  await using web = await countingServer();
  await using jobs = await rehearsing();
  const result = await submit(jobs.deps, counting(web.host));
  expect(result).toMatchObject({ outcome: "created", rehearsal: { unknownFrom: 2 } });
  expect(web.asked).toEqual([]);
  const material = await readReviewMaterial({ ...jobs.deps, db: jobs.deps.store.db }, "watch");
  const review = composeReview(material, new Date());
  expect(review.rehearsal.join("\n")).toMatch(/1 kv\.get, 3 GETs; unknown from effect 2 on/);
  expect(reviewMarkdown(review, (...words) => words.join(" "))).toContain("What it did when it was rehearsed");
});

test("want of mocks never refuses a submission; a job that throws at once is told as one", async () => {
  await using jobs = await rehearsing();
  const result = await submit(jobs.deps, jobSource(`throw new Error("at once");`));
  expect(result).toMatchObject({
    outcome: "created",
    rehearsal: { state: "failed", unknownFrom: null, effectCount: 0 },
  });
});

test("a job that cannot start without an input is stored, and says so", async () => {
  await using jobs = await rehearsing();
  const source = jobSource("return input;", "input: z.object({ name: z.string() }),");
  expect(await submit(jobs.deps, source)).toMatchObject({ outcome: "created", rehearsal: { state: "not_rehearsed" } });
  const result = await rehearseJob(jobs.deps, { name: "watch", input: { name: "x" } });
  expect(result).toMatchObject({
    outcome: "rehearsed",
    version: 1,
    report: { state: "succeeded", output: '{"name":"x"}' },
  });
  await expect(rehearseJob(jobs.deps, { name: "watch", input: { name: 1 } })).rejects.toMatchObject({
    code: "input_invalid",
  });
});

test("a run is done again offline, to the same log and output", async () => {
  await using web = await countingServer();
  await using jobs = await rehearsing();
  await submit(jobs.deps, counting(web.host));
  await jobs.approve("watch");
  expect(await jobs.run("watch")).toMatchObject({ state: "succeeded" });
  const asked = web.asked.length;
  const { db } = jobs.deps.store;
  const replay = () => replayRun({ db, pool }, { run: "R1", signal: never });
  expect(await replay()).toMatchObject({ verdict: "identical", difference: null, effects: 6, logLines: 1 });
  expect(web.asked).toHaveLength(asked);

  await db.updateTable("run_logs").set({ text: "another" }).execute();
  expect(await replay()).toMatchObject({
    verdict: "differs",
    difference: expect.stringMatching(/^Line 1 of the log was .*another/),
  });
  await db.updateTable("journal").set({ args: '{"key":"walks"}' }).where("seq", "=", 1).execute();
  expect(await replay()).toMatchObject({
    verdict: "differs",
    difference: expect.stringMatching(/^Effect 1 was kv.get .*walks/),
  });
});

test("a run that failed by itself fails again, and one that was cut off is the same up to there", async () => {
  await using jobs = await rehearsing();
  await submit(jobs.deps, jobSource(`await kv.set("a", 1); throw new Error("no " + Math.random());`));
  await jobs.approve("watch");
  expect(await jobs.run("watch")).toMatchObject({ state: "failed" });
  const { db } = jobs.deps.store;
  expect(await replayRun({ db, pool }, { run: "R1", signal: never })).toMatchObject({
    verdict: "identical",
    state: "failed",
  });
  await db.updateTable("attempts").set({ state: "cancelled" }).execute();
  expect(await replayRun({ db, pool }, { run: "R1", signal: never })).toMatchObject({ verdict: "identical_so_far" });
});

test("the review tells what the new version would have done differently in the last runs", async () => {
  await using web = await countingServer();
  await using jobs = await rehearsing();
  await submit(jobs.deps, counting(web.host));
  await jobs.approve("watch");
  await jobs.run("watch");
  await jobs.run("watch");
  const asked = web.asked.length;
  const behaviour = async () => {
    const material = await readReviewMaterial({ ...jobs.deps, db: jobs.deps.store.db }, "watch");
    return composeReview(material, new Date()).behaviour;
  };

  await submit(jobs.deps, `${counting(web.host)}// a comment`);
  expect(await behaviour()).toEqual([
    "R2 (succeeded): the same effects and the same result",
    "R1 (succeeded): the same effects and the same result",
  ]);

  await submit(jobs.deps, counting(web.host, "sum"));
  const body = (post: string) => `fetch POST http://${web.host}/sum body: ${post.length + 2} bytes: ${post} 3`;
  expect(await behaviour()).toEqual(
    ["R2", "R1"].flatMap((run) => [
      `${run} (succeeded): changed: ${body("total")} → ${body("sum")}`,
      `${run} (succeeded): unknown from here: ${body("sum")}`,
    ]),
  );

  await submit(jobs.deps, counting(web.host).replace("crypto.randomUUID()", '"none"'));
  expect((await behaviour()).join("\n")).toMatch(/^R2 \(succeeded\): result: \{.*\} → \{.*"id":"none"\}\nR1/);
  expect(web.asked).toHaveLength(asked);
});

test("code that is not stored is rehearsed over a recorded run of the job, and stays unstored", async () => {
  await using web = await countingServer();
  await using jobs = await rehearsing();
  await submit(jobs.deps, counting(web.host));
  await jobs.approve("watch");
  await jobs.run("watch");
  const asked = web.asked.length;
  const mocks = [{ op: "fetch", match: { url: "*/d" }, result: "from a mock" }];
  const wanted = { name: "watch", source: counting(web.host, "total", "/d"), mocks, run: "R1" };
  const result = await rehearseJob(jobs.deps, wanted);
  expect(result).toMatchObject({
    outcome: "rehearsed",
    version: null,
    report: { state: "succeeded", unknownFrom: null },
  });
  expect(JSON.stringify(result)).toContain("from a mock");
  expect(web.asked).toHaveLength(asked);
  expect(await jobs.deps.store.db.selectFrom("versions").select("number").execute()).toHaveLength(1);
  await expect(rehearseJob(jobs.deps, { name: "watch", run: "R9" })).rejects.toMatchObject({ code: "run_not_found" });
});
