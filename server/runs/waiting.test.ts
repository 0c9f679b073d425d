import { afterAll, beforeAll, expect, test } from "vitest";
import { type Resuming, resuming } from "../../tests/support/resuming.ts";
import { testPermissions } from "../../tests/support/runs.ts";
import { jobSource, testPool } from "../../tests/support/sandbox-run.ts";
import { testStore } from "../../tests/support/store.ts";
import { type AgentSettlement, claimAgents, settleAgent } from "../agents/queue.ts";
import { effectServices } from "../daemon/effect-services.ts";
import { testRole } from "../definitions/definitions-fixture.ts";
import { homePaths } from "../home.ts";
import { silentLog } from "../log.ts";
import type { Pool } from "../sandbox/types.ts";
import { openAlerts } from "./alerts.ts";
import { answerQuestion } from "./answer-question.ts";
import { openQuestions } from "./questions.ts";
import { requireRun } from "./read.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

const none = async () => {
  throw new Error("not in this test");
};

/** A run of this body that has come to its first rest. `later` moves the clock of the runs on. */
async function rested(body: string): Promise<Resuming & { runId: number; later(ms: number): void }> {
  let offset = 0;
  const clock = () => new Date(Date.now() + offset);
  const store = await testStore();
  const services = effectServices({
    store,
    approvals: { requireManifest: none },
    log: silentLog,
    home: homePaths({ JOBRUNNER_HOME: "/nowhere" }),
    clock,
    llm: none,
    notify: none,
    requireCommand: none,
    requireRole: async () => ({ version: 1, manifest: { limits: testRole().limits } }),
  });
  const permissions = testPermissions({ agents: ["reader"] });
  const it = await resuming(store, pool, jobSource(body), { services, clock, permissions });
  const { id } = await it.order();
  expect((await it.work()).settlement).toMatchObject({ state: "suspended" });
  const later = (ms: number) => {
    offset += ms;
  };
  return { ...it, runId: id, later };
}

test("a long sleep leaves no process, and goes on with all that was before it", async () => {
  const it = await rested(`
    const before = [Math.random(), Date.now()];
    await kv.set("visits", ((await kv.get("visits")) ?? 0) + 1);
    await sleep("3d");
    return [before[0] === before[0], Date.now() - before[1] >= 259_200_000, await kv.get("visits")];`);
  await using store = it.store;
  expect(pool.stats().busy).toBe(0);
  const { run_at, created_at } = await requireRun(store.db, it.runId);
  expect(run_at.getTime() - created_at.getTime()).toBeGreaterThanOrEqual(259_200_000);
  // Three days later.
  await store.db.updateTable("runs").set({ run_at: new Date() }).execute();
  it.later(259_200_000);
  expect((await it.work()).settlement).toMatchObject({ state: "succeeded", output: "[true,true,1]" });
  expect(await store.db.selectFrom("attempts").select(["attempt", "resumed"]).execute()).toEqual([
    { attempt: 1, resumed: 1 },
  ]);
});

test.each([
  ['ask("Go on?")', "perhaps", "yes", "true"],
  ['ask("Which?", { choices: ["red", "blue"] })', "green", "Blue", '"blue"'],
  ['ask("How many?", { schema: z.number().int().min(1) })', "0", "3", "3"],
  ['ask("Which words?", { schema: z.string().max(5) })', "too long", "no", '"no"'],
])("%s waits for a person, who is told what fits", async (call, wrong, right, output) => {
  const it = await rested(`return ${call};`);
  await using store = it.store;
  const { runId } = it;
  expect(await openAlerts(store.db)).toMatchObject([{ key: `run:R${runId}:question`, run_id: runId }]);
  expect((await requireRun(store.db, runId)).run_at.getUTCFullYear()).toBe(9999);
  const answer = (value: string) => answerQuestion(it, { run: runId, value, by: "person" });
  await expect(answer(wrong)).rejects.toMatchObject({ code: "invalid_argument" });
  await answer(right);
  await expect(answer(right)).rejects.toMatchObject({ code: "no_question" });
  expect(await openAlerts(store.db)).toEqual([]);
  expect((await it.work()).settlement).toMatchObject({ state: "succeeded", output });
});

test.each([
  ['{ timeout: "4s", fallback: true }', "true"],
  ['{ timeout: "4s" }', '"ask_timeout"'],
])("a question that nobody answers in time: %s", async (options, output) => {
  const it = await rested(`try { return await ask("Go on?", ${options}); } catch (e) { return e.code; }`);
  await using store = it.store;
  await expect
    .poll(async () => (await requireRun(store.db, it.runId)).run_at <= new Date(), { timeout: 8_000 })
    .toBe(true);
  expect((await it.work()).settlement).toMatchObject({ state: "succeeded", output });
  expect(await openQuestions(store.db, it.runId)).toEqual([]);
  expect(await openAlerts(store.db)).toEqual([]);
});

test("questions asked at once are answered one by one, in any order", async () => {
  const it = await rested(`
    const order = [];
    await Promise.all(["a", "b"].map(async (name) => { await ask(name + "?"); order.push(name); }));
    return order;`);
  await using _store = it.store;
  await answerQuestion(it, { run: it.runId, value: "yes", seq: 2, by: "person" });
  expect((await it.work()).settlement).toMatchObject({ state: "suspended" });
  await answerQuestion(it, { run: it.runId, value: "no", by: "person" });
  expect((await it.work()).settlement).toMatchObject({ state: "succeeded", output: '["b","a"]' });
});

test("a run that waits for an agent leaves no process behind and goes on with its answer", async () => {
  const it = await rested(`
    const schema = z.object({ n: z.number() });
    const { agent, json } = await agents.run({ role: "reader", prompt: "Count.", schema });
    const refused = await agents.run({ role: "other", prompt: "Count." }).catch((e) => e.code);
    const failed = await agents.run({ role: "reader", prompt: "Again." }).catch((e) => e.message);
    return [agent, json.n, refused, failed];`);
  await using store = it.store;
  const settle = async (outcome: AgentSettlement) => {
    const [agent] = await claimAgents(store.db, { owner: "test", limit: 1 });
    await settleAgent(store.db, { agentId: agent?.id ?? 0, lease: agent?.lease ?? 0, outcome });
    return agent;
  };
  expect(await settle({ state: "succeeded", output: '{"n":3}' })).toMatchObject({
    role: "reader",
    parent_run: it.runId,
    requested_by: `job test R${it.runId}`,
  });
  expect((await it.work()).settlement).toMatchObject({ state: "suspended" });
  await settle({ state: "failed", error: { reason: "turns", class: "permanent", message: "too long" } });
  const { settlement } = await it.work();
  const output = JSON.stringify(["A1", 3, "permission_denied", "reader (A2) ended as failed: too long"]);
  expect(settlement).toMatchObject({ state: "succeeded", output });
});
