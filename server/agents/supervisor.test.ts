import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type OllamaChat, type OllamaReply, ollamaTrouble } from "../../tests/support/ollama-server.ts";
import { addJob } from "../../tests/support/runs.ts";
import { cancelRun } from "../runs/cancel-run.ts";
import { enqueue } from "../runs/queue/enqueue.ts";
import { formatRunId } from "../runs/run-id.ts";
import { readAgentError } from "./agent-error.ts";
import type { AgentOrder } from "./agent-order.ts";
import { agentsFixture } from "./agents-fixture.ts";
import { cancelAgent } from "./cancel-agent.ts";
import { readStats } from "./routing/model-stats.ts";
import type { Supervisor } from "./supervisor.ts";

type Reply = (chat: OllamaChat, done: number) => OllamaReply;

const calls = (...made: readonly (readonly [string, Record<string, unknown>])[]): OllamaReply => ({
  toolCalls: made.map(([name, args]) => ({ name, arguments: args })),
});
const lastOf = (chat: OllamaChat) => chat.messages.at(-1)?.content ?? "";
/** Makes these calls one by one, then answers with the last result. */
const inTurn =
  (...made: readonly (readonly [string, Record<string, unknown>])[]): Reply =>
  (chat, done) => {
    const next = made[done];
    return next === undefined ? { pieces: [lastOf(chat)], promptTokens: 100 } : calls(next);
  };

/** By the task, which is the only thing that tells agents apart. */
const scripts: Record<string, Reply> = {
  work: inTurn(["file_write", { path: "a/note.txt", content: "hello" }], ["file_read", { path: "a/note.txt" }]),
  slow: () => ({ pieces: ["x", "y"], delayMs: 50 }),
  dead: () => ({ pieces: ["half"], end: "dead" }),
  memory: () => ({ refusal: ollamaTrouble.outOfMemory }),
  busy: () => ({ refusal: ollamaTrouble.busy }),
  recovers: () => (busy++ < 2 ? { refusal: ollamaTrouble.busy } : { pieces: ["at last"] }),
  endless: () => calls(["file_list", {}]),
  wrong: inTurn(["job_approve", { name: "evil" }], ["file_raed", { path: "x" }]),
  stalled: () => ({ end: "stalled" }),
  escapes: inTurn(
    ["file_read", { path: "/etc/hostname" }],
    ["file_read", { path: "link/secret.txt" }],
    ["file_write", { path: "link/x/y.txt", content: "x" }],
    ["file_read", { path: "../../keys/approver.key" }],
    ["web_fetch", { url: "http://127.0.0.1:1/" }],
    ["web_fetch", { url: "http://other.example.org/" }],
    ["command_run", { command: "rm", args: ["-rf", "/"] }],
  ),
  judged: (chat) => ({ pieces: [chat.model === "large" ? "good" : "bad"] }),
  "no schema": () => ({ pieces: ["no json"] }),
  schema: () => ({ pieces: ['{"n":', "1}"] }),
};
let busy = 0;

vi.setConfig({ testTimeout: 180_000 });

let fixture: Awaited<ReturnType<typeof agentsFixture>>;
let supervisor: Supervisor;
beforeAll(async () => {
  fixture = await agentsFixture({
    roles: {
      researcher: {
        tools: ["file_read", "file_list", "file_write", "web_fetch", "command_run"],
        permissions: {
          net: [{ host: "public.example.org", port: null, private: false }],
          files: { read: [], write: ["."] },
          commands: ["date"],
          jobs: [],
        },
      },
    },
    reply: (chat) => {
      const task = chat.messages[1]?.content ?? "";
      return scripts[task]?.(chat, chat.messages.filter(({ role }) => role === "tool").length) ?? {};
    },
    deps: {
      runTest: async ({ answer }) => ({ ok: answer === "good", reason: `${String(answer)} is not good` }),
    },
  });
  supervisor = fixture.supervise();
}, 120_000);
afterAll(() => fixture[Symbol.asyncDispose]());

async function run(prompt: string, order: Partial<AgentOrder> = {}) {
  const agent = await fixture.spawn({ prompt, ...order });
  const ended = await fixture.end(agent);
  return { ended, error: readAgentError(ended.error), steps: await fixture.steps(agent) };
}

const events = async (agentId: number) => {
  const rows = await fixture.store.db
    .selectFrom("events")
    .selectAll()
    .where("subject", "=", `agent:A${agentId}`)
    .execute();
  return rows
    .filter(({ kind }) => kind === "agent.refused")
    .map(({ actor, detail }) => ({ actor, ...JSON.parse(detail) }));
};

test("three agents work at once, each in a process of its own, and every step is on record", async () => {
  for (const { ended, steps } of await Promise.all([run("work"), run("work"), run("work")])) {
    expect(ended).toMatchObject({ state: "succeeded", output: "hello", turns: 3, tool_calls: 2, error: null });
    expect(ended).toMatchObject({ provider: "ollama", model: "qwen3:4b", reserved_tokens: 0, role_version: 1 });
    expect(steps.map(({ kind, name, ok }) => [kind, name, ok])).toEqual([
      ["model", null, true],
      ["tool", "file_write", true],
      ["model", null, true],
      ["tool", "file_read", true],
      ["model", null, true],
    ]);
  }
});

test("models that behave badly end as what they are", async () => {
  const cases: [string, Partial<AgentOrder>, string, string | null][] = [
    ["slow", {}, "succeeded", null],
    ["recovers", {}, "succeeded", null],
    ["dead", {}, "failed", "model_unavailable"],
    ["memory", {}, "failed", "model_failed"],
    ["busy", {}, "failed", "model_unavailable"],
    ["endless", {}, "failed", "loop"],
    ["stalled", { limits: { timeoutMs: 3_000 } }, "failed", "timeout"],
    ["missing", { models: [{ provider: "ollama", model: "none:1b" }] }, "failed", "model_missing"],
    ["cloud", { models: [{ provider: "claude", model: null }] }, "failed", "provider_missing"],
    ["no schema", { schema: { type: "object" } }, "failed", "model_failed"],
    ["schema", { schema: { type: "object", properties: { n: { type: "number" } } } }, "succeeded", null],
  ];
  const ended = await Promise.all(cases.map(([prompt, order]) => run(prompt, order)));
  const told = ended.map(({ ended: { state }, error }, i) => [cases[i]?.[0], state, error?.reason ?? null]);
  expect(told).toEqual(cases.map(([prompt, , state, reason]) => [prompt, state, reason]));
  expect(ended.at(7)?.error?.message).toContain("ollama pull");
});

test("a tool that its role does not give is refused with those that it has, and stands in the audit trail", async () => {
  const { ended, steps } = await run("wrong");
  const [first, second] = steps
    .filter(({ kind }) => kind === "tool")
    .map(({ result }) => JSON.parse(result ?? "").content);
  expect(first).toContain('no tool "job_approve"');
  expect(second).toContain('Did you mean "file_read"?');
  expect(await events(ended.id)).toMatchObject([
    { actor: `agent A${ended.id} (researcher)`, tool: "job_approve" },
    { tool: "file_raed" },
  ]);
});

test("nothing outside of what its role grants is touched", async () => {
  const folder = join(fixture.home.root, "agents", "shared");
  const outside = join(fixture.home.root, "outside");
  for (const path of [folder, outside]) mkdirSync(path, { recursive: true });
  writeFileSync(join(outside, "secret.txt"), "secret");
  symlinkSync(outside, join(folder, "link"));
  const { ended, steps } = await run("escapes", { folder });
  const results = steps
    .filter(({ kind }) => kind === "tool")
    .map(({ result, ok }) => [ok, JSON.parse(result ?? "").content]);
  expect(results).toHaveLength(7);
  for (const [ok, content] of results) {
    expect(ok, content).toBe(false);
    expect(content).toMatch(/permission_denied|file_unsafe/);
    expect(content).not.toContain("defineJob");
  }
  expect(existsSync(join(outside, "x"))).toBe(false);
  expect(await events(ended.id)).toHaveLength(7);
});

test("a refused answer is tried again with the reason, then by the next model, and counts in what is known of both", async () => {
  const models = [
    { provider: "ollama", model: "qwen3:4b" },
    { provider: "ollama", model: "large" },
  ] as const;
  const { ended, steps } = await run("judged", {
    models,
    oracle: { kind: "test", source: "export default () => {};" },
    complexity: "high",
  });
  expect(ended).toMatchObject({ state: "succeeded", output: "good", model: "large" });
  expect(steps.map(({ kind }) => kind)).toEqual([
    ...["model", "oracle", "model", "notice", "escalation"],
    ...["model", "oracle"],
  ]);
  const stats = (await readStats(fixture.store.db, { role: "researcher" })).filter(
    ({ complexity }) => complexity === "high",
  );
  expect(stats.map(({ model, accepted, refused }) => [model, accepted, refused])).toEqual([
    ["large", 1, 0],
    ["qwen3:4b", 0, 1],
  ]);
});

/** Waits until so many are under way: the server hears of a call that was broken off a little later. */
async function callsOfModels(count: number): Promise<void> {
  await expect.poll(fixture.ollama.active, { timeout: 20_000 }).toBe(count);
}

test("a cancelled agent ends in under a second, with its call of the model", async () => {
  const agent = await fixture.spawn({ prompt: "stalled" });
  await callsOfModels(1);
  await cancelAgent(fixture.store.db, { id: agent.id, by: "person" });
  const { cancel_requested_at, finished_at, ...ended } = await fixture.end(agent);
  expect(ended).toMatchObject({ state: "cancelled", cancel_requested_by: "person" });
  expect(Number(finished_at) - Number(cancel_requested_at)).toBeLessThan(1_000);
  await callsOfModels(0);
});

test("the agents of a run that has ended are cancelled, for nobody waits for them", async () => {
  const { db } = fixture.store;
  await addJob(db, "asking");
  const { run } = await enqueue(db, { job: "asking", trigger: "person", requestedBy: "person", traceId: "t" });
  const agent = await fixture.spawn({ prompt: "stalled", parentRun: run.id });
  await callsOfModels(1);
  await cancelRun(db, { runId: run.id, by: "person" });
  expect(await fixture.end(agent)).toMatchObject({
    state: "cancelled",
    cancel_requested_by: `the end of ${formatRunId(run.id)}`,
  });
  await callsOfModels(0);
});

test("work that a supervisor leaves behind goes on with the next one, and what is on record is not done again", async () => {
  const agent = await fixture.spawn({ prompt: "stalled" });
  await callsOfModels(1);
  await supervisor.drain();
  scripts.stalled = () => ({ pieces: ["later"] });
  supervisor = fixture.supervise();
  const ended = await fixture.end(agent);
  expect(ended).toMatchObject({ state: "succeeded", output: "later", attempt: 2 });
  expect((await fixture.steps(agent)).map(({ kind, ok }) => [kind, ok])).toEqual([
    ["model", false],
    ["model", true],
  ]);
});
