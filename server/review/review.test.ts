import { expect, test } from "vitest";
import { reviewTerminal } from "../cli/review-terminal.ts";
import { approvalsFixture, testManifest, testTime } from "./approvals-fixture.ts";
import { composeReview } from "./review.ts";
import { findFalseMaterial } from "./review-material.ts";
import { reviewMarkdown } from "./review-text.ts";
import { visibleText } from "./visible-text.ts";

const command = (...args: string[]) => ["~/jr", ...args].join(" ");

const wider = testManifest({
  schedules: testManifest().schedules.map((schedule) => ({ ...schedule, cron: "*/5 * * * *" })),
  permissions: {
    net: [
      { host: "api.example.org", port: null, private: false },
      { host: "evil.example.org", port: 8443, private: false },
      { host: "nas.example.org", port: null, private: true },
    ],
    secrets: { CHAT_WEBHOOK: ["evil.example.org", "hooks.example.org"], TOKEN: ["api.example.org"] },
  },
  limits: { ...testManifest().limits, timeoutMs: 600_000 },
});

async function twoVersions() {
  const it = await approvalsFixture();
  await it.addVersion(1, "const a = 1;\nconst b = 2;\n");
  await it.approve(1);
  await it.addVersion(2, "const a = 1;\nconst b = '\u202e';\n```\n", wider);
  return it;
}

test("what widened stands first, gravest first, before anything that the job says of itself", async () => {
  await using it = await twoVersions();
  const review = composeReview(await it.material(), testTime);
  expect(review.version).toBe(2);
  expect(review.base).toBe(1);
  expect(review.widened).toEqual([
    "PRIVATE NETWORK: may reach nas.example.org at private addresses",
    "HOST: may send to evil.example.org:8443",
    "SECRET: CHAT_WEBHOOK is sent to evil.example.org too",
    "SECRET: may use TOKEN, sent to api.example.org",
    "SCHEDULE: runs more often, about 288 a day instead of 1 a day",
    "LIMIT: time raised from 1m to 10m",
  ]);
  for (const text of [reviewMarkdown(review, command), reviewTerminal(review, { colour: false, width: 100 })]) {
    const order = ["WIDENED", "PRIVATE NETWORK", "HOST:", "SECRET:", "SCHEDULE:", "LIMIT:", "test-host", "const b"];
    const places = order.map((word) => text.indexOf(word));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  }
});

test("the code shows its changes, with hidden characters written out", async () => {
  await using it = await twoVersions();
  const { code } = composeReview(await it.material(), testTime);
  expect(code).toEqual([
    {
      path: "watch.ts",
      change: "changed",
      lines: ["@@ line 1", " const a = 1;", "-const b = 2;", "+const b = '⟨U+202E⟩';", "+```"],
    },
  ]);
});

test("the next five fire times stand in the job's own zone", async () => {
  await using it = await twoVersions();
  const { schedules } = composeReview(await it.material(1), testTime);
  expect(schedules[0]?.next).toHaveLength(5);
  expect(schedules[0]?.next[0]).toBe("Sat 2026-11-21 08:00:00 GMT+9");
});

test("a host agent gets the person's command, no way to approve, and no fence that the code can close", async () => {
  await using it = await twoVersions();
  const text = reviewMarkdown(composeReview(await it.material(), testTime), command);
  expect(text).toContain("~/jr approve watch v2\n");
  expect(text).toContain("no tool does it");
  expect(text).toContain("unprotected");
  expect(text).toMatch(/^````text$/m);
});

test("a huge review stays below 10,000 tokens and says where the rest is", async () => {
  await using it = await approvalsFixture();
  await it.addVersion(1, Array.from({ length: 20_000 }, (_, line) => `const line${line} = ${line};`).join("\n"));
  const text = reviewMarkdown(composeReview(await it.material(), testTime), command);
  expect(text.length).toBeLessThan(30_000);
  expect(text).toContain("more characters; job_read");
  expect(text).toContain("~/jr approve watch v1");
});

test("a first version shows all that it asks for", async () => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "one\n");
  const review = composeReview(await it.material(), testTime);
  expect(review.widened).toContain("SECRET: may use CHAT_WEBHOOK, sent to hooks.example.org");
  expect(reviewTerminal(review, { colour: false, width: 80 })).toContain("ASKS FOR");
});

test("colour is there only where it is asked for", async () => {
  await using it = await twoVersions();
  const review = composeReview(await it.material(), testTime);
  const esc = String.fromCharCode(27);
  expect(reviewTerminal(review, { colour: false, width: 80 })).not.toContain(esc);
  expect(reviewTerminal(review, { colour: true, width: 80 })).toContain(`${esc}[`);
});

test("material that is not what its hashes say is named", async () => {
  await using it = await twoVersions();
  const { version } = await it.material();
  expect(findFalseMaterial(version)).toBeUndefined();
  expect(findFalseMaterial({ ...version, manifest: "{}" })).toBe("the manifest");
  expect(findFalseMaterial({ ...version, snapshot: "{}" })).toBe("the list of source files");
  expect(findFalseMaterial({ ...version, files: {} })).toBe("the set of source files");
  expect(findFalseMaterial({ ...version, files: { "watch.ts": "" } })).toBe("watch.ts");
});

test("a version that was changed in the store is not shown as if it were true; a changed base is none", async () => {
  await using it = await twoVersions();
  await it.db.updateTable("versions").set({ manifest: "{}" }).where("number", "=", 1).execute();
  expect(composeReview(await it.material(2), testTime)).toMatchObject({ base: null, active: null });
  await expect(it.material(1)).rejects.toMatchObject({ code: "approval_invalid" });
});

test.each([
  ["a\u202eb", "a⟨U+202E⟩b"],
  ["\u001b[2J", "⟨U+001B⟩[2J"],
  ["zero\u200bwidth", "zero⟨U+200B⟩width"],
  ["tag\u{e0041}", "tag⟨U+E0041⟩"],
  ["⟨U+202E⟩", "⟨U+27E8⟩U+202E⟩"],
  ["line\r\nnext\tone", "line\nnext\tone"],
  ["over\rwritten", "over⟨U+000D⟩written"],
])("%j is shown as %j", (text, shown) => {
  expect(visibleText(text)).toBe(shown);
});
