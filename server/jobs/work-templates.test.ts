import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, realpath, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestJobs, testJobs } from "../../tests/support/jobs.ts";
import { testPool } from "../../tests/support/sandbox-run.ts";
import { testStore } from "../../tests/support/store.ts";
import { webServer } from "../../tests/support/web-server.ts";
import type { LlmRequest, NotifyMessage } from "../effects/services.ts";
import { answerQuestion } from "../runs/answer-question.ts";
import { readArtifacts } from "../runs/read-artifacts.ts";
import type { Pool } from "../sandbox/types.ts";
import { submitJob } from "./submit-job.ts";
import { readTemplate } from "./templates.ts";

/*
 * Templates that do more than ask the web, each run for real: on files, git, a clock that moves on, and a person who answers.
 */

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

const dayMs = 86_400_000;
const start = new Date("2026-11-01T00:00:00Z");

async function temporaryFolder() {
  const path = await realpath(await mkdtemp(join(tmpdir(), "jobrunner-template-")));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Jobs whose messages and models are kept here instead of reaching anybody. */
async function recordingJobs() {
  const told: NotifyMessage[] = [];
  const asked: LlmRequest[] = [];
  const jobs = await testJobs(pool, start, testStore(), {
    notify: async (message) => void told.push(message),
    async llm(request) {
      asked.push(request);
      const text = JSON.stringify({
        summary: `Sum of ${request.messages.at(-1)?.content.slice(0, 3)}`,
        important: true,
      });
      return { text, tokens: { prompt: 10, output: 5 }, finish: "stop" };
    },
  });
  return { ...jobs, told, asked };
}

/** Submits and signs a template with these words of it put in the place of others. */
async function install(jobs: TestJobs, name: string, words: Readonly<Record<string, string>>): Promise<void> {
  let { source } = await readTemplate(name);
  for (const [from, to] of Object.entries(words)) {
    expect(source).toContain(from);
    source = source.replaceAll(from, to);
  }
  const order = { name, source, note: null, dryRun: false, proposedBy: "test", writeFolder: false };
  expect(await submitJob(jobs.deps, order)).toMatchObject({ outcome: "created", warnings: [] });
  await jobs.approve(name);
}

const toHost = (host: string) => ({
  "https://api.example.org": `http://${host}`,
  '"api.example.org"': `{ host: "${host}", private: true }`,
});

function outputOf(settlement: Awaited<ReturnType<TestJobs["run"]>>): unknown {
  expect(settlement).toMatchObject({ state: "succeeded", error: null });
  return JSON.parse(("output" in settlement ? settlement.output : null) ?? "null");
}

/** The text of a run's artifact, which is what its hash says. */
async function artifact(jobs: TestJobs, runId: number, name: string): Promise<string> {
  const [row] = (await readArtifacts(jobs.deps.store.db, runId)).filter((each) => each.name === name);
  const text = await readFile(join(jobs.folder, "..", "home", "runs", `R${runId}`, name), "utf8");
  expect(row?.bytes).toBe(Buffer.byteLength(text));
  return text;
}

test("notes-digest reads the notes that changed, and no other folder", async () => {
  await using notes = await temporaryFolder();
  await using jobs = await recordingJobs();
  await install(jobs, "notes-digest", { "~/notes": notes.path });
  await writeFile(join(notes.path, "a.md"), "# Apples\nThey are ripe.");
  await writeFile(join(notes.path, "b.bin"), "no note");
  expect(outputOf(await jobs.run("notes-digest"))).toEqual({ notes: 1, left: 0, digest: "digest.md" });
  expect(await artifact(jobs, 1, "digest.md")).toMatch(/## Apples[\s\S]*They are ripe\./);
  expect(outputOf(await jobs.run("notes-digest"))).toEqual({ notes: 0, digest: null });
  await writeFile(join(notes.path, "c.txt"), "A plum");
  await utimes(join(notes.path, "c.txt"), new Date(), new Date(Date.now() + 60_000));
  expect(outputOf(await jobs.run("notes-digest"))).toMatchObject({ notes: 1 });
  expect(await artifact(jobs, 3, "digest.md")).not.toContain("Apples");
});

test("weekly-report notes a number each day, and leaves a report on its day", async () => {
  let count = 5;
  await using web = await webServer((_, response) => response.end(JSON.stringify({ count })));
  await using jobs = await recordingJobs();
  await install(jobs, "weekly-report", toHost(`127.0.0.1:${web.port}`));
  expect(outputOf(await jobs.run("weekly-report"))).toEqual({ noted: "2026-11-01", report: null });
  count = 7;
  jobs.pass(dayMs);
  const report = "report-2026-11-02.md";
  expect(outputOf(await jobs.run("weekly-report"))).toEqual({ noted: "2026-11-02", report, week: 12, before: 0 });
  expect(await artifact(jobs, 2, report)).toContain("| 2026-11-01 | 5 |\n| 2026-11-02 | 7 |");
});

test("llm-summary sums up what is new, with a model that sees it as data, and tells it once", async () => {
  const articles = [{ id: "1", title: "Old", text: "old" }];
  await using web = await webServer((_, response) => response.end(JSON.stringify(articles)));
  await using jobs = await recordingJobs();
  await install(jobs, "llm-summary", toHost(`127.0.0.1:${web.port}`));
  expect(outputOf(await jobs.run("llm-summary"))).toEqual({ articles: 1, told: 0 });
  articles.push({ id: "2", title: "New", text: "text" });
  expect(outputOf(await jobs.run("llm-summary"))).toEqual({ articles: 2, told: 1 });
  expect(outputOf(await jobs.run("llm-summary"))).toEqual({ articles: 2, told: 0 });
  expect(jobs.asked).toMatchObject([{ model: "qwen3:4b", schema: { type: "object" }, temperature: 0, maxTokens: 400 }]);
  expect(jobs.told).toMatchObject([{ target: "desktop", text: "! New\nSum of New" }]);
});

test.each([
  ["post", true],
  ["skip", false],
])("ask-before-post: %s", async (answer, posted) => {
  await using web = await webServer((_, response) => response.end(JSON.stringify({ id: "d1", text: "Hello all" })));
  const host = `127.0.0.1:${web.port}`;
  const hook = { CHAT_WEBHOOK: `http://${host}/hook` };
  await using jobs = await recordingJobs();
  await install(jobs, "ask-before-post", { ...toHost(host), '"hooks.example.org"': `"${host}"` });
  expect(await jobs.run("ask-before-post", hook)).toMatchObject({ state: "suspended" });
  await answerQuestion(jobs.deps, { run: 1, value: answer, by: "person" });
  expect(outputOf(await jobs.goOn(Date.now() - start.getTime(), hook))).toEqual({ id: "d1", posted });
  const posts = web.requests.filter(({ method }) => method === "POST");
  expect(posts.map(({ url, body }) => [url, JSON.parse(body)])).toEqual(
    posted ? [["/hook", { text: "Hello all" }]] : [],
  );
});

test("follow-up sleeps for days, and reminds while the ticket is open", async () => {
  let state = "open";
  await using web = await webServer((_, response) =>
    response.end(JSON.stringify({ state, title: "The shop is slow" })),
  );
  await using jobs = await recordingJobs();
  await install(jobs, "follow-up", toHost(`127.0.0.1:${web.port}`));
  const input = { ticket: "SHOP-12", after: "3d", reminders: 3 };
  expect(await jobs.run("follow-up", {}, input)).toMatchObject({
    state: "suspended",
    wakeAt: new Date(start.getTime() + 3 * dayMs),
  });
  await expect(jobs.goOn(2 * dayMs)).rejects.toThrow("no run is due");
  expect(await jobs.goOn(dayMs)).toMatchObject({ state: "suspended" });
  expect(jobs.told).toMatchObject([{ title: "SHOP-12 is still open", text: "The shop is slow" }]);
  state = "closed";
  expect(outputOf(await jobs.goOn(3 * dayMs))).toEqual({ ticket: "SHOP-12", state: "closed", reminders: 1 });
  expect(jobs.told).toHaveLength(1);
});

test("git-digest lists what was committed, with git and nothing else", async () => {
  await using repository = await temporaryFolder();
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", ...args], { cwd: repository.path });
  git("init", "--quiet");
  git("commit", "--quiet", "--allow-empty", "-m", "First light", "--date", "2026-10-31T12:00:00Z");
  await using jobs = await recordingJobs();
  const program = execFileSync("which", ["git"]).toString().trim();
  await install(jobs, "git-digest", { "~/project": repository.path, "/usr/bin/git": program });
  expect(outputOf(await jobs.run("git-digest"))).toEqual({ commits: 1, digest: "digest.md" });
  expect(await artifact(jobs, 1, "digest.md")).toMatch(/^## Ada\n- First light \([0-9a-f]+\)/);
});
