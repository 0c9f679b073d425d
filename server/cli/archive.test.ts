import { sql } from "kysely";
import { expect, test } from "vitest";
import { addJob } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { archiveRuns } from "../backup/archive-runs.ts";
import { jrFixture } from "./jr-fixture.ts";

test("jr archive lists what is kept on this machine and prints one run, without a daemon, and jr show points to it", async () => {
  await using it = jrFixture();
  const none = await it.jr("archive");
  expect(none).toMatchObject({ code: 0, stdout: "" });
  expect(none.stderr).toContain("retention.archive in config.yaml");

  await using store = await testStore();
  const { db } = store;
  await addJob(db, "feed");
  await sql`insert into runs (id, job, trigger, state, run_at, attempt, trace_id, requested_by, error, finished_at)
    overriding system value values (12, 'feed', 'host', 'failed', now(), 1, 't', 'test', ${"\u202e"}, now())`.execute(
    db,
  );
  const clock = () => new Date("2026-06-01T00:00:00Z");
  await archiveRuns(db, [12], { folder: it.home.archive, runsFolder: it.home.runs, clock });

  expect((await it.jr("archive")).stdout).toMatch(/^RUN.*\nR12 +feed +failed/);
  expect((await it.jr("archive", "--job", "other")).stdout).toBe("");
  const shown = await it.jr("archive", "R12");
  expect(shown.stdout).toContain('"error": "⟨U+202E⟩"');
  expect(shown.stderr).toContain(`tar xzf '${it.home.archive}`);
  expect(JSON.parse((await it.jr("archive", "R12", "--json")).stdout)).toMatchObject({ run: { job: "feed" } });
  expect(await it.jr("archive", "R13")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("R13 is not in the archive"),
  });

  await it.jr("start");
  expect((await it.jr("show", "R13")).stderr).toMatch(/There is no run R13.*\nnext: .*archive R13/);
});
