import { mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type TestJobs, testJobs } from "../../tests/support/jobs.ts";
import { testPool } from "../../tests/support/sandbox-run.ts";
import { openAlerts } from "../runs/alerts.ts";
import type { Pool } from "../sandbox/types.ts";
import { watchFolder } from "./folder.ts";
import { findJob, listJobs, listVersions } from "./read.ts";
import { submitJob } from "./submit-job.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

const source = (description: string, body = "") =>
  `import { defineJob } from "jobrunner";\nexport default defineJob({ description: "${description}", async run() { ${body} } });\n`;

/** Waits until what is asked for is so; the bound is there for a broken build alone. */
const until = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 20_000, interval: 25 });

async function states({ deps }: TestJobs, job: string) {
  return (await listVersions(deps.store.db, job)).map(({ number, state }) => `v${number} ${state}`);
}

describe("the jobs folder", () => {
  test("what stands in it at the start becomes versions, once, and editors get types", async () => {
    await using jobs = await testJobs(pool);
    await mkdir(join(jobs.folder, "many"), { recursive: true });
    await writeFile(join(jobs.folder, "one.ts"), source("one"));
    await writeFile(join(jobs.folder, "many", "index.ts"), source("many"));
    await writeFile(join(jobs.folder, "helper.ts"), "export const x = 1;");
    for (let start = 0; start < 2; start++) {
      await using watch = await watchFolder(jobs.deps);
      expect(
        (await listJobs(jobs.deps, { limit: 10 })).rows.map(({ name, path, pending }) => [name, path, pending]),
      ).toEqual([
        ["many", "many/index.ts", 1],
        ["one", "one.ts", 1],
      ]);
      expect(watch.problems().size).toBe(0);
    }
    expect(await readFile(join(jobs.folder, "jobrunner.d.ts"), "utf8")).toContain('declare module "jobrunner"');
    expect(await readFile(join(jobs.folder, "tsconfig.json"), "utf8")).toContain('"zod"');
  });

  test("a saved file becomes a version; a broken one is told as a problem and an alert until it is repaired", async () => {
    await using jobs = await testJobs(pool);
    await using watch = await watchFolder(jobs.deps);
    const file = join(jobs.folder, "one.ts");
    await writeFile(file, source("one"));
    await until(async () => expect(await states(jobs, "one")).toEqual(["v1 pending"]));
    await writeFile(file, source("one").slice(0, 40));
    await until(() => expect(watch.problems().get("one")).toMatchObject([{ file: "one.ts", severity: "error" }]));
    await until(async () => expect(await openAlerts(jobs.deps.store.db)).toMatchObject([{ key: "job:one:file" }]));
    expect(await states(jobs, "one")).toEqual(["v1 pending"]);
    await writeFile(file, source("two"));
    await until(async () => expect(await states(jobs, "one")).toEqual(["v2 pending", "v1 superseded"]));
    await until(async () => expect(await openAlerts(jobs.deps.store.db)).toEqual([]));
    expect(watch.problems().size).toBe(0);
  });

  test("a change of a helper compiles the jobs that read it, and one that was missing repairs them", async () => {
    await using jobs = await testJobs(pool);
    await using watch = await watchFolder(jobs.deps);
    const main = `import { x } from "./lib/x.ts";\n${source("one", "return x;")}`;
    await writeFile(join(jobs.folder, "one.ts"), main);
    await until(() =>
      expect(watch.problems().get("one")).toMatchObject([{ message: expect.stringContaining("./lib/x.ts") }]),
    );
    await mkdir(join(jobs.folder, "lib"));
    await writeFile(join(jobs.folder, "lib", "x.ts"), "export const x = 1;");
    await until(async () => expect(await states(jobs, "one")).toEqual(["v1 pending"]));
    await writeFile(join(jobs.folder, "lib", "x.ts"), "export const x = 2;");
    await until(async () => expect(await states(jobs, "one")).toEqual(["v2 pending", "v1 superseded"]));
  });

  test("a deleted file pauses its job and says so, also when it went while nothing watched; a renamed one is another job", async () => {
    await using jobs = await testJobs(pool);
    {
      await using watch = await watchFolder(jobs.deps);
      await writeFile(join(jobs.folder, "one.ts"), source("one"));
      await until(async () => expect(await findJob(jobs.deps, "one")).toMatchObject({ state: "active" }));
      await rename(join(jobs.folder, "one.ts"), join(jobs.folder, "two.ts"));
      await until(async () => expect(await findJob(jobs.deps, "two")).toMatchObject({ state: "active", pending: 1 }));
      await until(async () =>
        expect(await findJob(jobs.deps, "one")).toMatchObject({
          state: "paused",
          paused_by: "file_deleted",
          path: null,
          paused_reason: "its file one.ts was deleted",
        }),
      );
      await watch.idle();
    }
    await rm(join(jobs.folder, "two.ts"));
    await using again = await watchFolder(jobs.deps);
    expect(await findJob(jobs.deps, "two")).toMatchObject({ state: "paused", paused_by: "file_deleted", path: null });
    expect(again.problems().size).toBe(0);
  });

  test("a job whose file is in another machine's folder is not missed here", async () => {
    await using jobs = await testJobs(pool);
    await mkdir(jobs.folder, { recursive: true });
    await writeFile(join(jobs.folder, "one.ts"), source("one"));
    {
      await using _ = await watchFolder(jobs.deps);
    }
    await rm(join(jobs.folder, "one.ts"));
    await jobs.deps.store.db.updateTable("jobs").set({ folder: "elsewhere:/jobs" }).execute();
    {
      await using _ = await watchFolder(jobs.deps);
      expect(await findJob(jobs.deps, "one")).toMatchObject({ state: "active", path: "one.ts" });
    }
    await writeFile(join(jobs.folder, "one.ts"), source("one"));
    {
      await using _ = await watchFolder(jobs.deps);
    }
    await rm(join(jobs.folder, "one.ts"));
    await using _ = await watchFolder(jobs.deps);
    expect(await findJob(jobs.deps, "one")).toMatchObject({ state: "paused", paused_by: "file_deleted", path: null });
  });

  test("a file that comes back with what was approved lifts the pause; other content waits for the person first", async () => {
    await using jobs = await testJobs(pool);
    await using watch = await watchFolder(jobs.deps);
    const file = join(jobs.folder, "one.ts");
    const becomes = (state: object) => until(async () => expect(await findJob(jobs.deps, "one")).toMatchObject(state));
    await writeFile(file, source("one"));
    await becomes({ pending: 1 });
    await jobs.approve("one");
    await rm(file);
    await becomes({ state: "paused", paused_by: "file_deleted" });
    await writeFile(file, source("one"));
    await becomes({ state: "active", path: "one.ts", active: 1 });
    await rm(file);
    await becomes({ state: "paused" });
    await writeFile(file, source("two"));
    await becomes({ state: "paused", path: "one.ts", active: 1, pending: 2 });
    await jobs.approve("one");
    await becomes({ state: "active", active: 2 });
    await watch.idle();
  });

  test("two files of one name, a link out of the folder and a bad name are told, and store nothing", async () => {
    await using jobs = await testJobs(pool);
    await mkdir(join(jobs.folder, "one"), { recursive: true });
    await writeFile(join(jobs.folder, "one.ts"), source("one"));
    await writeFile(join(jobs.folder, "one", "index.ts"), source("one"));
    await writeFile(join(jobs.folder, "..", "outside.ts"), source("outside"));
    await symlink(join(jobs.folder, "..", "outside.ts"), join(jobs.folder, "linked.ts"));
    await writeFile(join(jobs.folder, "My Job.ts"), source("mine"));
    await using watch = await watchFolder(jobs.deps);
    await until(() => expect([...watch.problems().keys()].sort()).toEqual(["My Job.ts", "linked", "one"]));
    expect(watch.problems().get("one")?.[0]?.message).toContain("one.ts and one/index.ts");
    expect(watch.problems().get("linked")?.[0]?.message).toContain("symbolic link");
    expect((await listJobs(jobs.deps, { limit: 10 })).rows).toEqual([]);
  });

  test("what an agent submits is one version, though the folder sees its file too", async () => {
    await using jobs = await testJobs(pool);
    await using watch = await watchFolder(jobs.deps);
    await submitJob(jobs.deps, {
      name: "one",
      source: source("one"),
      note: null,
      dryRun: false,
      proposedBy: "a-host 1.0",
      writeFolder: true,
    });
    await writeFile(join(jobs.folder, "two.ts"), source("two"));
    await until(async () => expect(await states(jobs, "two")).toEqual(["v1 pending"]));
    await watch.idle();
    expect((await listVersions(jobs.deps.store.db, "one")).map(({ proposed_by }) => proposed_by)).toEqual([
      "a-host 1.0",
    ]);
  });
});
