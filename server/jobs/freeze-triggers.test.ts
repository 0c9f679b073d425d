import { join } from "node:path";
import { expect, test } from "vitest";
import { freezeManifest } from "./freeze-manifest.ts";

const folders = { user: "/home/me", own: "/home/me/.jobrunner" };
const defaults = { timezone: "UTC", locale: "en-US", now: new Date("2026-11-01T00:00:00Z"), folders };
const freeze = (declared: object) =>
  freezeManifest(JSON.stringify({ description: "a test", input: null, ...declared }), defaults);

test("triggers are frozen with whole paths, sorted, each end written out; jitter and priority with them", () => {
  const frozen = freeze({
    schedule: { cron: "0 8 * * *", jitter: "10m" },
    triggers: { after: [{ job: "import", on: "failure" }, "backup"], files: ["~/in/b.txt", "~/in"], webhook: true },
    permissions: { files: { read: ["~/in"] } },
    priority: -5,
  });
  if (!frozen.ok) throw new Error(JSON.stringify(frozen.problems));
  expect(frozen.manifest).toMatchObject({
    schedules: [{ jitterMs: 600_000 }],
    triggers: {
      after: [
        { job: "backup", on: "success" },
        { job: "import", on: "failure" },
      ],
      files: [join(folders.user, "in"), join(folders.user, "in/b.txt")],
      webhook: true,
    },
    priority: -5,
  });
});

test.each<[string, object, string, RegExp]>([
  ["files that it may not read", { triggers: { files: ["~/out"] } }, "triggers.files", /not within permissions\.files/],
  ["a job twice", { triggers: { after: ["a", { job: "a", on: "failure" }] } }, "triggers.after", /stands there twice/],
  ["no name of a job", { triggers: { after: ["No Job"] } }, "triggers.after.0", /./],
  ["an unknown trigger", { triggers: { web: true } }, "triggers.web", /unknown key "web"/],
  ["an end that there is not", { triggers: { after: [{ job: "a", on: "done" }] } }, "triggers.after.0.on", /./],
  ["a priority out of range", { priority: 101 }, "priority", /from -100 to 100/],
  ["jitter of days", { schedule: { cron: "0 8 * * *", jitter: "2d" } }, "schedule.0.jitter", /between/],
  [
    "an input that a trigger cannot give",
    {
      triggers: { webhook: true },
      input: { type: "object", properties: { n: { type: "number" } }, required: ["n"], additionalProperties: false },
    },
    "input",
    /gets no input/,
  ],
])("refuses %s", (_, declared, path, message) => {
  const frozen = freeze(declared);
  const problems = frozen.ok ? [] : frozen.problems;
  expect(problems.map((each) => each.path)).toContain(path);
  expect(problems.find((each) => each.path === path)?.message).toMatch(message);
});
