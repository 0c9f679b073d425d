import { expect, test } from "vitest";
import { testManifest, testPermissions, testSchedule } from "../../tests/support/runs.ts";
import { type Manifest, manifestSchema } from "../jobs/manifest.ts";
import { narrowed, widened } from "./widened.ts";

const now = new Date("2026-11-20T12:00:00Z");
const { limits, retry } = testManifest();

test.each(manifestSchema.shape.limits.keyof().options)("a raised limit is told, a lowered one is not: %s", (key) => {
  const raised = testManifest({ limits: { ...limits, [key]: limits[key] * 3 } });
  expect(widened(testManifest(), raised, now)).toEqual([expect.stringMatching(/^LIMIT: .+ raised from .+ to .+/)]);
  expect(widened(raised, testManifest(), now)).toEqual([]);
  expect(narrowed(raised, testManifest(), now)).toEqual([expect.stringMatching(/^LIMIT: .+ lowered from .+ to .+/)]);
});

test.each<[string, Partial<Manifest>, Partial<Manifest>, string[]]>([
  ["nothing", {}, {}, []],
  ["more tries", {}, { retry: { ...retry, attempts: 3 } }, ["LIMIT: tries raised from 1 to 3 in all"]],
  ["repeating unasked", {}, { onUncertain: "repeat" }, [expect.stringMatching(/^CRASH: .* done again unasked/)]],
  ["skipping unasked", {}, { onUncertain: "skip" }, [expect.stringMatching(/^CRASH: .* left out unasked/)]],
  [
    "repeating instead of skipping",
    { onUncertain: "skip" },
    { onUncertain: "repeat" },
    [expect.stringMatching(/again/)],
  ],
  ["repeating as before", { onUncertain: "repeat" }, { onUncertain: "repeat" }, []],
  ["asking again", { onUncertain: "repeat" }, { onUncertain: "ask" }, []],
  [
    "more who may start it",
    { callers: ["person"] },
    { callers: ["schedule", "person", "job"] },
    ["CALLERS: may be started by its schedule, other jobs too"],
  ],
  [
    "other machines",
    { runsOn: ["gpu", "linux"] },
    { runsOn: ["linux", "office"] },
    ["MACHINES: may run on machines without the label gpu"],
  ],
  ["fewer machines", {}, { runsOn: ["gpu"] }, []],
  ["fewer who may start it", {}, { callers: ["person"] }, []],
  [
    "a webhook, and another job",
    {},
    { triggers: { after: [{ job: "a", on: "success" }], files: [], webhook: true } },
    [expect.stringMatching(/^WEBHOOK: /), expect.stringMatching(/^AFTER: is started when a succeeds/)],
  ],
  [
    "any end instead of success, and one more folder",
    { triggers: { after: [{ job: "a", on: "success" }], files: ["/a"], webhook: true } },
    { triggers: { after: [{ job: "a", on: "end" }], files: ["/a", "/b"], webhook: true } },
    ["AFTER: is started when a ends, not only when it succeeds", "FILES: is started when something in /b changes"],
  ],
  [
    "success instead of any end",
    { triggers: { after: [{ job: "a", on: "end" }], files: [], webhook: false } },
    { triggers: { after: [{ job: "a", on: "failure" }], files: [], webhook: false } },
    [],
  ],
  ["going before others", {}, { priority: 5 }, ["PRIORITY: its runs go before those of other jobs (0 to 5)"]],
  ["going after others", { priority: 5 }, { priority: 1 }, []],
  [
    "runs that may overlap",
    { schedules: [testSchedule()] },
    { schedules: [testSchedule({ overlap: "allow" })] },
    ["SCHEDULE: runs may overlap"],
  ],
])("%s", (_, before, after, lines) => {
  expect(widened(testManifest(before), testManifest(after), now)).toEqual(lines);
});

test("a schedule that fires less often is told as what narrows", () => {
  const hourly = testManifest({ schedules: [testSchedule({ cron: "0 * * * *" })] });
  const daily = testManifest({ schedules: [testSchedule({ cron: "0 0 * * *" })] });
  expect(narrowed(hourly, daily, now)).toEqual(["SCHEDULE: runs less often, about 1 a day instead of 24 a day"]);
  expect(widened(hourly, daily, now)).toEqual([]);
});

test("a first version is told with what it asks for and how it treats crashes, but not with limits and callers", () => {
  const first = testManifest({ onUncertain: "repeat", permissions: testPermissions({ llm: ["qwen3:4b"] }) });
  expect(widened(undefined, first, now)).toEqual([
    "MODEL: may ask the local model qwen3:4b",
    expect.stringMatching(/^CRASH: /),
  ]);
  expect(narrowed(undefined, first, now)).toEqual([]);
});

test("permissions come before everything else", () => {
  const after = testManifest({
    onUncertain: "repeat",
    schedules: [testSchedule()],
    limits: { ...limits, effects: 99 },
    permissions: testPermissions({ notify: ["desktop"], files: { read: ["/"], write: [] } }),
  });
  const labels = widened(testManifest({ callers: ["person"] }), after, now).map((line) => line.split(":")[0]);
  expect(labels).toEqual(["ALL FILES", "MESSAGE", "CRASH", "CALLERS", "SCHEDULE", "LIMIT"]);
});
