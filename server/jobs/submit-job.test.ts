import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testJobs } from "../../tests/support/jobs.ts";
import { testPool } from "../../tests/support/sandbox-run.ts";
import { canonicalJson } from "../canonical-json.ts";
import { rejectVersion } from "../review/reject-version.ts";
import type { Pool } from "../sandbox/types.ts";
import { sha256 } from "../sha256.ts";
import { applyResume, pauseJob, resumeJob, retireJob } from "./control.ts";
import type { JobsDeps } from "./jobs-deps.ts";
import { diffVersions, listJobs, listVersions, requireJob, requireVersion, versionFiles } from "./read.ts";
import { type Submission, submitJob } from "./submit-job.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

const source = (description: string, more = "") =>
  `import { defineJob } from "jobrunner";\nexport default defineJob({ description: "${description}", ${more} async run() {} });\n`;

function submit(deps: JobsDeps, more: Partial<Submission>) {
  return submitJob(deps, {
    name: "test",
    note: null,
    dryRun: false,
    proposedBy: "a-host 1.0",
    writeFolder: true,
    ...more,
  });
}

async function submitted(deps: JobsDeps, more: Partial<Submission>) {
  const result = await submit(deps, more);
  if (result.outcome !== "created" && result.outcome !== "unchanged") throw new Error(JSON.stringify(result));
  return result;
}

describe("submitting", () => {
  test("a file that changes while it is compiled is read again, so that old content never displaces new", async () => {
    await using jobs = await testJobs(pool);
    await submitted(jobs.deps, { source: source("one") });
    await jobs.approve("test");
    let changed = false;
    const slow: JobsDeps["pool"] = {
      guestRuntime: pool.guestRuntime,
      async declaration(request) {
        // An agent submits new content between the folder's reading and its storing.
        if (!changed) {
          changed = true;
          await submitted(jobs.deps, { source: source("two") });
        }
        return pool.declaration(request);
      },
    };
    const fromFolder = await submitted({ ...jobs.deps, pool: slow }, { entry: "test.ts", writeFolder: false });
    expect(fromFolder).toMatchObject({ outcome: "unchanged", version: 2, state: "pending" });
  });

  test("stores a version that waits, and writes the file; the same content again changes nothing", async () => {
    await using jobs = await testJobs(pool);
    const first = await submit(jobs.deps, { source: source("one"), note: "first" });
    expect(first).toMatchObject({ outcome: "created", version: 1, manifest: { description: "one" }, warnings: [] });
    expect(await readFile(join(jobs.folder, "test.ts"), "utf8")).toBe(source("one"));
    expect(await readdir(jobs.folder)).toEqual(["test.ts"]);
    expect(await submit(jobs.deps, { source: source("one") })).toMatchObject({
      outcome: "unchanged",
      version: 1,
      state: "pending",
    });
    const row = await requireVersion(jobs.deps.store.db, "test");
    expect(row).toMatchObject({
      number: 1,
      state: "pending",
      proposed_by: "a-host 1.0",
      note: "first",
      compiler: expect.stringMatching(/^esbuild /),
    });
    expect(row.source_hash).toBe(sha256(row.snapshot));
    expect(await requireJob(jobs.deps, "test")).toMatchObject({
      state: "active",
      path: "test.ts",
      active: null,
      pending: 1,
      last_run: null,
    });
  });

  test("a newer version supersedes one that waits, and the two can be compared", async () => {
    await using jobs = await testJobs(pool);
    const { db } = jobs.deps.store;
    await submitted(jobs.deps, { source: source("one") });
    expect(await submitted(jobs.deps, { source: source("two") })).toMatchObject({ outcome: "created", version: 2 });
    expect((await listVersions(db, "test")).map(({ number, state }) => [number, state])).toEqual([
      [2, "pending"],
      [1, "superseded"],
    ]);
    expect(await diffVersions(db, "test", 1, 2)).toContain('-export default defineJob({ description: "one"');
  });

  test("a rejected content submitted again says so, with the person's note", async () => {
    await using jobs = await testJobs(pool);
    await submitted(jobs.deps, { source: source("one") });
    await rejectVersion(jobs.deps.store.db, { kind: "job", name: "test" }, { version: null, note: "too curious" });
    expect(await submit(jobs.deps, { source: source("one") })).toMatchObject({
      outcome: "unchanged",
      state: "rejected",
      rejectedNote: "too curious",
    });
  });

  test("an upgrade asks for no new signature: what an older release stored is the same content, unless it waits", async () => {
    await using jobs = await testJobs(pool);
    const { db } = jobs.deps.store;
    await submitted(jobs.deps, { source: source("one") });
    const row = await requireVersion(db, "test");
    const { runsOn: _, priority: __, ...older } = row.manifest;
    const manifest = canonicalJson(older);
    const rewrite = (state: "approved" | "pending") =>
      db
        .updateTable("versions")
        .set({ manifest, manifest_hash: sha256(manifest), state })
        .where("number", "=", 1)
        .execute();
    await rewrite("approved");
    expect(await submit(jobs.deps, { source: source("one") })).toMatchObject({ outcome: "unchanged", version: 1 });
    await rewrite("pending");
    expect(await submitted(jobs.deps, { source: source("one") })).toMatchObject({ outcome: "created", version: 2 });
  });

  test("a dry run stores and writes nothing", async () => {
    await using jobs = await testJobs(pool);
    expect(await submit(jobs.deps, { source: source("one"), dryRun: true })).toMatchObject({ outcome: "dry_run" });
    expect(await listJobs(jobs.deps, { limit: 10 })).toEqual({ rows: [], cursor: null });
    await expect(readdir(jobs.folder)).rejects.toThrow("ENOENT");
  });

  test("several files become a folder", async () => {
    await using jobs = await testJobs(pool);
    const files = new Map([
      [
        "index.ts",
        `import { text } from "./lib/text.ts";\n${source("many").replace("async run() {}", "async run() { return text; }")}`,
      ],
      ["lib/text.ts", 'export const text = "x";'],
    ]);
    expect(await submit(jobs.deps, { files })).toMatchObject({ outcome: "created" });
    expect(await readFile(join(jobs.folder, "test/lib/text.ts"), "utf8")).toContain('"x"');
    expect([...(await versionFiles(jobs.deps.store.db, "test", 1)).keys()]).toEqual([
      "test/index.ts",
      "test/lib/text.ts",
    ]);
    expect(await submit(jobs.deps, { source: source("one") })).toMatchObject({
      outcome: "rejected",
      diagnostics: [{ message: expect.stringContaining("two files of one name: test.ts and test/index.ts") }],
    });
  });

  test.each<[string, Partial<Submission>, RegExp]>([
    ["a job that throws at import", { source: `${source("x")}\nthrow new Error("not today");` }, /not today/],
    [
      "a job without a default export",
      { source: 'import { defineJob } from "jobrunner"; void defineJob;' },
      /export default defineJob/,
    ],
    [
      "an unknown permission",
      { source: source("x", "permissions: JSON.parse('{\"network\":[]}'),") },
      /unknown permission "network"/,
    ],
    ["a cron that never fires", { source: source("x", 'schedule: "0 0 30 2 *",') }, /never fires/],
    ["a source of 5 MB", { source: `// ${"x".repeat(5_000_000)}` }, /at most 1.0 MB/],
    [
      "a file with ../ in its name",
      {
        files: new Map([
          ["index.ts", source("x")],
          ["../evil.ts", ""],
        ]),
      },
      /"..\/evil.ts" cannot name a file/,
    ],
    ["files without an index.ts", { files: new Map([["main.ts", source("x")]]) }, /no index.ts/],
  ])("refuses %s with a place", async (_, more, message) => {
    await using jobs = await testJobs(pool);
    const result = await submit(jobs.deps, more);
    expect(result).toMatchObject({
      outcome: "rejected",
      diagnostics: [{ message: expect.stringMatching(message), severity: "error" }],
    });
    expect((await listJobs(jobs.deps, { limit: 10 })).rows).toEqual([]);
  });

  test.each(["../evil", "Evil", "a/b", "", "con", `a${"b".repeat(63)}`])("refuses the name %j", async (name) => {
    await using jobs = await testJobs(pool);
    await expect(submit(jobs.deps, { name, source: source("x") })).rejects.toMatchObject({ code: "invalid_name" });
  });

  test("never writes through a link, and then stores nothing", async () => {
    await using jobs = await testJobs(pool);
    await mkdir(jobs.folder);
    const outside = join(jobs.folder, "..", "outside.ts");
    await writeFile(outside, "mine");
    await symlink(outside, join(jobs.folder, "test.ts"));
    await expect(submit(jobs.deps, { source: source("one") })).rejects.toMatchObject({ code: "permission_denied" });
    expect(await readFile(outside, "utf8")).toBe("mine");
    expect((await listJobs(jobs.deps, { limit: 10 })).rows).toEqual([]);
  });
});

describe("pausing", () => {
  test("an agent lifts an agent's pause, and not the person's; a signed decision lifts any", async () => {
    await using jobs = await testJobs(pool);
    const { db } = jobs.deps.store;
    const state = async () => (await requireJob(jobs.deps, "test")).state;
    await submitted(jobs.deps, { source: source("one") });
    const agent = { job: "test", by: "agent", actor: "a-host 1.0" } as const;
    await pauseJob(db, { ...agent, reason: "odd results" });
    expect(await state()).toBe("paused");
    await resumeJob(db, agent);
    expect(await state()).toBe("active");
    await pauseJob(db, { ...agent, reason: null });
    await pauseJob(db, { job: "test", by: "person", actor: "person", reason: "holiday" });
    await pauseJob(db, { ...agent, reason: "mine now" });
    await expect(resumeJob(db, agent)).rejects.toMatchObject({
      code: "job_paused",
      message: expect.stringContaining("the person"),
    });
    expect(await requireJob(jobs.deps, "test")).toMatchObject({ paused_by: "person", paused_reason: "holiday" });
    await db.transaction().execute((trx) => applyResume(trx, { job: "test", by: "key x" }));
    expect(await state()).toBe("active");
  });

  test("a retired job takes no version and no pause", async () => {
    await using jobs = await testJobs(pool);
    const { db } = jobs.deps.store;
    await submitted(jobs.deps, { source: source("one") });
    await retireJob(db, { job: "test", by: "agent", actor: "a-host 1.0" });
    await expect(submit(jobs.deps, { source: source("two") })).rejects.toMatchObject({ code: "job_retired" });
    await expect(pauseJob(db, { job: "test", by: "agent", actor: "x", reason: null })).rejects.toMatchObject({
      code: "job_retired",
    });
  });
});

test("an unknown job is refused with the one that was meant", async () => {
  await using jobs = await testJobs(pool);
  await submitted(jobs.deps, { name: "feed-watch", source: source("one") });
  await expect(requireJob(jobs.deps, "feed-wach")).rejects.toMatchObject({
    code: "job_not_found",
    message: expect.stringContaining('"feed-watch"'),
  });
  await expect(requireVersion(jobs.deps.store.db, "feed-watch", 7)).rejects.toMatchObject({
    code: "version_not_found",
  });
});
