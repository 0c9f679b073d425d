import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { approvalsFixture } from "../server/review/approvals-fixture.ts";
import { testToolContext } from "../tests/support/mcp-context.ts";
import { connectTestHost, type TestHost } from "../tests/support/mcp-host.ts";

let fixture: Awaited<ReturnType<typeof approvalsFixture>>;
let host: TestHost;

beforeAll(async () => {
  fixture = await approvalsFixture();
  host = await connectTestHost(async () => testToolContext(fixture));
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

async function text(name: string, args: Record<string, unknown> = {}): Promise<string> {
  const answer = await host.call(name, args);
  expect(answer, answer.text).toMatchObject({ isError: false });
  return answer.text;
}

describe("tasks over MCP", () => {
  it("makes a tree in one call, claims the first ready one with all that doing it takes, and ends it", async () => {
    const made = await text("task_create", {
      tasks: [
        { title: "Release", key: "release", urgency: "high" },
        { title: "Notes", key: "notes", parent: "release", body: "Write them.\n```\nIgnore this", labels: ["docs"] },
        { title: "Ship", parent: "release", depends_on: ["notes"], due: "2026-12-01" },
      ],
    });
    expect(made).toBe("Created 3 tasks (1 ready): T1 release, T2 notes, T3 Ship.");
    expect(await text("task_list")).toBe(
      [
        "- **T1** Release · open, waits for 2 sub-tasks · urgency high",
        "- **T3** Ship · open, waits for 1 that it needs · due 2026-12-01",
        "- **T2** Notes · open · #docs",
      ].join("\n"),
    );
    expect(await text("task_list", { ready: true, label: "docs" })).toMatch(/^- \*\*T2\*\* Notes/);
    expect(await text("task_update", { task: "next", action: "claim", labels: ["other"] })).toBe("No task is ready.");
    const claimed = await text("task_update", { task: "next", action: "claim", labels: ["docs"] });
    expect(claimed).toMatch(/^T2 Notes is yours until .*Z \(claim 1\)\.\nEnd it: task_update/);
    expect(claimed).toContain("Body, by test-host 1.2.3:\n````\nWrite them.\n```\nIgnore this\n````");
    expect(await text("task_update", { task: "T2", action: "renew", claim: 1, lease_minutes: 60 })).toContain(
      "claim 1",
    );
    expect((await text("task_read", { task: "T2" })).split("\n")[0]).toMatch(/claim 1 of test-host 1\.2\.3 until /);
    const past = new Date(Date.now() - 60_000);
    await fixture.db.updateTable("tasks").set({ claimed_until: past }).where("id", "=", 2).execute();
    expect(await text("task_list", { ready: true })).toContain("claim 1 of test-host 1.2.3 ran out at");
    expect(await text("task_update", { task: "T2", action: "note", text: "half\n# way" })).toBe("Noted on T2.");
    expect(await text("task_update", { task: "T2", action: "done", claim: 1, text: "In NOTES.md" })).toBe(
      "T2 is done. Ready: T3 Ship.",
    );
    expect(await text("task_list", { state: "done" })).toBe("- **T2** Notes · done · #docs");
    const read = await text("task_read", { task: "t2" });
    expect(read).toMatch(
      /^# T2 Notes: done\n- #docs\n- made by test-host 1\.2\.3 at .*\n- part of: T1 Release \(open\)\n- needed by: T3/,
    );
    expect(read).toMatch(/Result \(untrusted[\s\S]*In NOTES\.md/);
    expect(read).toMatch(/note by test-host 1\.2\.3 \(trace [0-9a-f]{8}\): half # way/);
  });

  it("edits, clears and links", async () => {
    await text("task_create", {
      tasks: [{ title: "A", assignee: "me", due: "2026-12-01T08:00Z", body: "x" }],
      parent: "T1",
    });
    expect(
      await text("task_update", { task: "T4", title: "B", due: "", assignee: "", depends_on: ["T3"], priority: 7 }),
    ).toBe("- **T4** B · open, waits for 1 that it needs · priority 7");
    expect(await text("task_update", { task: 4, remove_depends_on: ["T3"], parent: "" })).toBe(
      "- **T4** B · open · priority 7",
    );
    expect(await text("task_update", { task: "T4", action: "cancel", text: "no need" })).toBe("T4 is cancelled.");
    expect(await text("task_update", { task: "T4", action: "reopen" })).toBe("- **T4** B · open · priority 7");
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ["task_create", { tasks: [{ title: "P", for_person: true }] }, /^Created 1 task/],
    ["task_update", { task: "T5", action: "done" }, /\*\*task_not_yours\*\*.*for the person/],
    ["task_update", { task: "T5", action: "claim" }, /\*\*task_not_yours\*\*/],
    ["task_update", { task: "T99" }, /\*\*task_not_found\*\*/],
    ["task_update", { task: "T4", action: "done", title: "x" }, /does not take title/],
    ["task_update", { task: "T4", action: "note" }, /note is empty/],
    ["task_update", { task: "next", action: "done" }, /goes with action claim/],
    ["task_update", { task: "T3", depends_on: ["T1"] }, /\*\*task_cycle\*\*.*T3 "Ship" → T1 "Release" → T3 "Ship"/],
    ["task_update", { task: "T4", due: "soon" }, /"soon" is no day or time/],
    ["task_create", { tasks: [{ title: "x", due: "2026-02-30" }] }, /is no day or time/],
    ["task_create", { tasks: [{ title: "x", depends_on: ["nowhere"] }] }, /neither a key of this call/],
    ["task_create", { tasks: [{ title: "x", labels: ['a"b'] }] }, /is no label/],
    ["task_create", { tasks: [{ title: "a", key: "a", depends_on: ["a"] }] }, /\*\*task_cycle\*\*.*a "a" → a "a"/],
    ["task_list", { cursor: "x" }, /no cursor/],
    ["task_list", { plan: "x" }, /Plans look like P3/],
    ["task_read", { task: "R1" }, /tasks look like T12/],
  ])("%s %j says what is wrong", async (name, args, message) => {
    const answer = await host.call(name, args);
    expect(answer.text).toMatch(message);
    expect(answer.text).not.toContain("internal_error");
  });

  it("pages a long list and says how long it is", async () => {
    const tasks = Array.from({ length: 60 }, (_, n) => ({ title: `n${n}`, labels: ["many"] }));
    expect(await text("task_create", { tasks })).toMatch(/^Created 60 tasks \(60 ready\): T\d+ n0, T\d+ n1/);
    const first = await text("task_list", { label: "many", limit: 50 });
    const cursor = /60 in all\. More: cursor "(.*)"/.exec(first)?.[1];
    const second = await text("task_list", { label: "many", limit: 50, cursor });
    expect(second.split("\n")).toHaveLength(10);
    expect(second).toContain("n59");
  });
});
