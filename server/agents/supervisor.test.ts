import { expect, test } from "vitest";
import { ollamaTrouble } from "../../tests/support/ollama-server.ts";
import { agentsFixture } from "./agents-fixture.ts";

test("three agents answer at once, each in a process of its own, and every step is on record", async () => {
  await using fixture = await agentsFixture({
    roles: {
      researcher: {
        tools: ["file_write", "file_read"],
        permissions: { net: [], files: { read: [], write: ["."] }, commands: [], jobs: [] },
      },
    },
    reply: (chat) => {
      const done = chat.messages.filter(({ role }) => role === "tool").length;
      if (done === 0)
        return { toolCalls: [{ name: "file_write", arguments: { path: "a/note.txt", content: "hello" } }] };
      if (done === 1) return { toolCalls: [{ name: "file_read", arguments: { path: "a/note.txt" } }] };
      return { pieces: ["It says ", chat.messages.at(-1)?.content ?? ""], promptTokens: 100 };
    },
  });
  const agents = await Promise.all([fixture.spawn(), fixture.spawn(), fixture.spawn()]);
  fixture.supervise();
  for (const agent of agents) {
    const ended = await fixture.end(agent);
    expect(ended).toMatchObject({ state: "succeeded", output: "It says hello", turns: 3, tool_calls: 2, error: null });
    expect(ended).toMatchObject({ provider: "ollama", model: "qwen3:4b", reserved_tokens: 0, role_version: 1 });
    expect((await fixture.steps(agent)).map(({ kind, name, ok }) => [kind, name, ok])).toEqual([
      ["model", null, true],
      ["tool", "file_write", true],
      ["model", null, true],
      ["tool", "file_read", true],
      ["model", null, true],
    ]);
  }
});

test.each([
  ["slow", { pieces: Array(5).fill("x"), delayMs: 50 }, "succeeded", null],
  ["cut off in mid-stream", { pieces: ["half"], end: "dead" }, "failed", "model_unavailable"],
  ["out of memory", { refusal: ollamaTrouble.outOfMemory }, "failed", "model_failed"],
  ["busy", { refusal: ollamaTrouble.busy }, "failed", "model_unavailable"],
  ["calling what it was not given", { toolCalls: [{ name: "job_approve", arguments: {} }] }, "failed", "loop"],
] as const)("a model that is %s", async (_, reply, state, reason) => {
  await using fixture = await agentsFixture({ reply: () => ({ ...reply }) });
  const agent = await fixture.spawn();
  fixture.supervise();
  const ended = await fixture.end(agent);
  expect(ended).toMatchObject({ state });
  expect(ended.error === null ? null : JSON.parse(ended.error).reason).toBe(reason);
});
