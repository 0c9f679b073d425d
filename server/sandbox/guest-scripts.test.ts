import { afterAll, beforeAll, expect, test } from "vitest";
import { sandboxRun, testPool } from "../../tests/support/sandbox-run.ts";
import { joinGuestScripts, namesZod, splitGuestScripts } from "./guest-scripts.ts";
import type { Pool } from "./types.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool({ max: 1, warm: 1 });
});
afterAll(() => pool[Symbol.asyncDispose]());

test("the scripts come out of one text as they went in, and a text of an earlier release is all ours", () => {
  const scripts = { zod: "a\n", main: "b\n" };
  expect(splitGuestScripts(joinGuestScripts(scripts))).toEqual(scripts);
  expect(splitGuestScripts("old")).toEqual({ zod: "", main: "old" });
});

test.each([
  ["(0, import_jobrunner.z).object({})", true],
  ['api["z"]', true],
  ["const { defineJob } = require('jobrunner'); zip(_z, z1)", false],
])("%s names zod: %s", (bundle, names) => expect(namesZod(bundle)).toBe(names));

const without = `import * as all from "jobrunner";
export default all.defineJob({ description: "without", async run() { return BODY; } });`;

test.each([
  ["Object.keys(all)", ["defineJob", "PermanentError"]],
  ["[all.PermanentError.name, Reflect.has(globalThis, '__jobrunnerZod')]", ["PermanentError", false]],
])("a job that does not name zod has none: %s", async (body, expected) => {
  const run = await sandboxRun(without.replace("BODY", body));
  const outcome = await pool.run(run);
  expect(outcome.state === "succeeded" ? JSON.parse(outcome.outputJson ?? "") : outcome).toEqual(
    expect.arrayContaining(expected),
  );
});

test("a name that is made up while it runs is answered with what to write", async () => {
  const run = await sandboxRun(without.replace("BODY", "all[String.fromCharCode(122)].string().parse('a')"));
  expect(await pool.run(run)).toMatchObject({
    state: "failed",
    error: { message: expect.stringContaining('import { z } from "jobrunner"') },
  });
});

test("runs with zod and without it take turns in one process", async () => {
  for (let round = 0; round < 2; round++) {
    const named = `import { defineJob, z } from "jobrunner";
export default defineJob({ description: "with", async run() { return z.locales.en && z.string().parse("a"); } });`;
    const runs = [await sandboxRun(named), await sandboxRun(without.replace("BODY", '"b"'))];
    const outcomes = [];
    for (const run of runs) outcomes.push(await pool.run({ ...run, bundleHash: "same" }));
    expect(outcomes).toMatchObject([{ outputJson: '"a"' }, { outputJson: '"b"' }]);
  }
});
