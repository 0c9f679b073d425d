import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testStore } from "../../tests/support/store.ts";
import { spawnAgent } from "../agents/spawn-agent.ts";
import { UserError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { openAlerts } from "../runs/alerts.ts";
import type { Store } from "../store/open-store.ts";
import type { PlanNodeKind, Row } from "../store/tables.ts";
import { claimTask } from "../tasks/claim-task.ts";
import { finishTask } from "../tasks/finish-task.ts";
import { requireTask } from "../tasks/require-task.ts";
import { claimPlans } from "./claim-plans.ts";
import { cancelPlan, resumePlan, retryPlan, stopPlan } from "./control-plan.ts";
import { createPlan } from "./create-plan.ts";
import { type DriveDeps, drivePlan } from "./drive-plan.ts";
import { hasEnded } from "./next-steps.ts";
import { readHistory, readNodeError } from "./node-error.ts";
import { type NodeOutcome, type NodeRunner, noUsage } from "./node-runner.ts";
import { peopleRunner } from "./people-runner.ts";
import type { PlanCaps } from "./plan-caps.ts";
import { planSpec } from "./plan-spec.ts";
import { isPlanAtRest } from "./plan-states.ts";
import { readPlanArtifacts, readPlanNodes, readPlanUsage, requirePlan } from "./read-plan.ts";
import { requirePlanRoom } from "./require-plan-room.ts";

let store: Store;
let folder: string;
beforeAll(async () => {
  store = await testStore();
  folder = mkdtempSync(join(tmpdir(), "plans-"));
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const caps: PlanCaps = {
  ...{ agents: 100, depth: 3, tokens: 1_000, usd: 1, wallMs: 3_600_000, parallel: 3, attempts: 3 },
};
const by = { by: "person", traceId: "trace" };

/** What happens to each try, by node and number of the try; what is not said succeeds. */
type Fates = Readonly<Record<string, readonly ("ok" | "chance" | "hopeless" | "hangs")[]>>;

/** Stands for everything that plans begin: what was begun under a key goes on whoever asks, as agents and runs do. */
function world(fates: Fates = {}) {
  const begun = new Map<string, { node: string; outputs: ReadonlyMap<string, string | null> }>();
  const cancelled = new Set<string>();
  let blow: (() => boolean) | undefined;
  const lost = () => new UserError("store_unavailable", "the connection was lost");
  const outcome = (key: string): NodeOutcome => {
    const [, , node = "", attempt = ""] = key.split(":");
    if (cancelled.has(node)) return { state: "cancelled", usage: noUsage };
    const fate = fates[node]?.[Number(attempt) - 1] ?? "ok";
    if (fate === "hangs") return { state: "running" };
    if (fate === "ok") return { state: "succeeded", output: `${node} is done`, usage: noUsage };
    const failure = fate === "chance" ? "transient" : "permanent";
    return { state: "failed", error: { reason: fate, class: failure, message: fate }, usage: noUsage };
  };
  const runner: NodeRunner = {
    async start({ node, dedupeKey, outputs }) {
      if (blow?.()) throw lost();
      if (!begun.has(dedupeKey)) begun.set(dedupeKey, { node: node.key, outputs });
      // After it began, before that is on record.
      if (blow?.()) throw lost();
      return { agentId: 1_000 + begun.size };
    },
    async look(_node, { dedupeKey }) {
      if (blow?.()) throw lost();
      return outcome(dedupeKey);
    },
    async cancel({ key }) {
      cancelled.add(key);
    },
  };
  const kinds: readonly PlanNodeKind[] = ["agent", "merge", "job", "command", "person", "host", "decompose"];
  const people = peopleRunner(store);
  const deps: DriveDeps = {
    store,
    runners: {
      agent: runner,
      merge: runner,
      job: runner,
      command: runner,
      person: people,
      host: people,
      decompose: runner,
    },
    plansFolder: folder,
    host: "here",
    log: silentLog,
    // Takes the whole of the delay away.
    random: () => 5,
    onRest: async () => undefined,
  };
  expect(Object.keys(deps.runners).sort()).toEqual([...kinds].sort());
  return {
    deps,
    begun,
    /** Calls to the outside break off as this says. */
    blowWhen(decide: (() => boolean) | undefined) {
      blow = decide;
    },
  };
}

type World = ReturnType<typeof world>;

async function plan(nodes: readonly object[], given: Partial<PlanCaps> = {}, hold = false): Promise<Row<"plans">> {
  const spec = planSpec.parse({ goal: "get it done", nodes });
  return createPlan(store, {
    ...{ spec, caps: { ...caps, ...given }, hold, origin: "host", requestedBy: "host 1", traceId: "trace" },
  });
}

const agent = (key: string, over: object = {}) => ({ key, role: "worker", prompt: `do ${key}`, ...over });

/** Looks at the plan until it rests, as a new daemon each time `dies` says so. */
async function drive(
  { deps }: World,
  id: number,
  { dies = () => false, looks = 400 }: { dies?: () => boolean; looks?: number } = {},
): Promise<Row<"plans">> {
  let daemon = 0;
  let memory = { broken: new Map<string, number>() };
  for (let look = 0; look < looks; look++) {
    const held = (await claimPlans(store.db, { owner: `daemon ${daemon}`, alone: true })).find(
      (each) => each.id === id,
    );
    if (held === undefined) break;
    await drivePlan(deps, held, memory).catch((thrown: unknown) => {
      if (!(thrown instanceof UserError)) throw thrown;
    });
    if (!dies()) continue;
    daemon++;
    memory = { broken: new Map() };
  }
  return requirePlan(store.db, id);
}

const states = async (id: number) =>
  Object.fromEntries((await readPlanNodes(store.db, id)).map(({ key, state }) => [key, state]));

async function taskStates(id: number): Promise<Record<string, string>> {
  const rows = await store.db.selectFrom("tasks").select(["node", "state"]).where("plan_id", "=", id).execute();
  return Object.fromEntries(rows.map(({ node, state }) => [node ?? "plan", state]));
}

it("runs what it can at once, hands results on, and leaves them in files with their hashes", async () => {
  const all = world();
  const { id } = await plan([agent("a"), agent("b"), agent("c", { needs: ["a", "b"] })]);
  const ended = await drive(all, id);
  expect(ended).toMatchObject({ state: "succeeded", error: null, running_since: null });
  const begun = [...all.begun.values()].map(({ node }) => node);
  expect([begun.slice(0, 2).sort(), begun.slice(2)]).toEqual([["a", "b"], ["c"]]);
  expect(all.begun.get(`plan:${id}:c:1`)?.outputs.get("a")).toBe("a is done");
  expect(await taskStates(id)).toEqual({ plan: "done", a: "done", b: "done", c: "done" });
  const [first] = await readPlanArtifacts(store.db, id);
  expect(first).toMatchObject({ node: "a", name: "output.md", bytes: 9, media_type: "text/markdown", host: "here" });
  expect(readFileSync(join(folder, `P${id}`, "a", "output.md"), "utf8")).toBe("a is done");
});

it("tries again what failed by chance, and not what cannot get better", async () => {
  const all = world({ a: ["chance", "chance"], b: ["hopeless"], c: ["chance", "chance", "chance"] });
  const { id } = await plan([
    agent("a"),
    agent("b", { optional: true }),
    agent("c"),
    agent("d", { needs: ["a", "b"] }),
    agent("e", { needs: ["c"] }),
  ]);
  expect(await drive(all, id)).toMatchObject({ state: "failed" });
  expect(await states(id)).toEqual({ a: "succeeded", b: "failed", c: "failed", d: "succeeded", e: "skipped" });
  const nodes = await readPlanNodes(store.db, id);
  expect(nodes.map(({ history }) => readHistory(history).length)).toEqual([3, 1, 3, 1, 0]);
  expect(readNodeError(nodes.find(({ key }) => key === "e")?.error ?? null)?.message).toBe("c did not succeed");
  expect(await taskStates(id)).toEqual({
    ...{ plan: "failed", a: "done", b: "failed", c: "failed", d: "done", e: "skipped" },
  });
  const alerts = async () => (await openAlerts(store.db)).filter(({ key }) => key === `plan:P${id}:failed`);
  expect((await alerts()).map(({ message }) => message)).toEqual([
    expect.stringMatching(`^P${id} failed \\(c: .+\\): `),
  ]);
  await retryPlan(store.db, { ...by, plan: id, node: "c" });
  expect(await taskStates(id)).toMatchObject({ plan: "open", c: "open", e: "open", d: "done" });
  expect(await alerts()).toEqual([]);
  // The fourth try of c succeeds, since nothing is said of it.
  expect(await drive(all, id)).toMatchObject({ state: "succeeded" });
  expect([...all.begun.keys()].filter((key) => /:[abd]:/.test(key)).length).toBe(5);
});

it("stops, goes on, and is cancelled with everything that is at work", async () => {
  const all = world({ slow: ["hangs"] });
  const { id } = await plan(
    [agent("a"), agent("b", { needs: ["a"] }), agent("slow"), agent("z", { needs: ["slow"] })],
    {
      parallel: 2,
    },
  );
  const held = (await claimPlans(store.db, { owner: "me", alone: true })).find((each) => each.id === id);
  if (held === undefined) throw new Error("not held");
  const look = () => drivePlan(all.deps, held, { broken: new Map() });
  await look();
  await stopPlan(store.db, { ...by, plan: id });
  await look();
  expect(await states(id)).toEqual({ a: "succeeded", b: "waiting", slow: "running", z: "waiting" });
  expect((await requirePlan(store.db, id)).state).toBe("stopping");
  await resumePlan(store.db, { ...by, plan: id });
  await look();
  await look();
  expect(await states(id)).toMatchObject({ b: "succeeded", slow: "running" });
  await cancelPlan(store.db, { ...by, plan: id });
  await look();
  expect(await states(id)).toEqual({ a: "succeeded", b: "succeeded", slow: "cancelled", z: "cancelled" });
  expect(await requirePlan(store.db, id)).toMatchObject({ state: "cancelled", running_since: null });
  expect(await taskStates(id)).toMatchObject({ plan: "cancelled", slow: "cancelled", z: "cancelled", a: "done" });
});

it("a draft is nobody's work until it is resumed", async () => {
  const all = world();
  const { id } = await plan([agent("a")], {}, true);
  expect(await drive(all, id)).toMatchObject({ state: "draft", started_at: null });
  expect(await taskStates(id)).toEqual({});
  await resumePlan(store.db, { ...by, plan: id });
  expect(await drive(all, id)).toMatchObject({ state: "succeeded" });
});

it("wall time ends it, and time in which only people are waited for does not count", async () => {
  const all = world({ slow: ["hangs"] });
  const slow = await plan([agent("slow"), agent("z", { needs: ["slow"] })], { wallMs: 1 });
  const asks = await plan([{ key: "ask", kind: "person", prompt: "look" }], { wallMs: 1 });
  expect(await drive(all, slow.id)).toMatchObject({ state: "failed" });
  expect(readNodeError((await requirePlan(store.db, slow.id)).error)).toMatchObject({
    reason: "wall",
    class: "budget",
  });
  expect(await states(slow.id)).toEqual({ slow: "cancelled", z: "cancelled" });
  expect(await requirePlan(store.db, asks.id)).toMatchObject({ state: "running", running_since: null });
  // Stopping waits for nobody outside, and cancelling takes their tasks back.
  await stopPlan(store.db, { ...by, plan: asks.id });
  expect(await drive(all, asks.id)).toMatchObject({ state: "stopped" });
  await resumePlan(store.db, { ...by, plan: asks.id });
  await cancelPlan(store.db, { ...by, plan: asks.id });
  expect(await drive(all, asks.id)).toMatchObject({ state: "cancelled" });
  expect(await taskStates(asks.id)).toEqual({ plan: "cancelled", ask: "cancelled" });
});

it("what people say of their task is the result of its node, with what came before in its body", async () => {
  const all = world();
  const { id } = await plan([
    agent("a"),
    { key: "look", kind: "host", prompt: "Is this right? ${a.output}" },
    { key: "agree", kind: "person", prompt: "Agree?", needs: ["look"] },
    agent("b", { needs: ["agree"] }),
  ]);
  await drive(all, id, { looks: 5 });
  const taskOf = async (key: string) => {
    const nodes = await readPlanNodes(store.db, id);
    return requireTask(store.db, nodes.find((node) => node.key === key)?.task_id ?? 0);
  };
  const look = await taskOf("look");
  expect(look.body).toContain("a is done");
  const host = { actor: "host 1", traceId: null };
  await claimTask(store.db, { id: look.id, by: host });
  await finishTask(store.db, { id: look.id, state: "done", result: "it is", by: host });
  await drive(all, id, { looks: 5 });
  const agree = await taskOf("agree");
  expect(agree.body).toContain("it is");
  await expect(finishTask(store.db, { id: agree.id, state: "done", result: null, by: host })).rejects.toMatchObject({
    code: "task_not_yours",
  });
  const person = { actor: "person", traceId: null };
  await finishTask(store.db, { id: agree.id, state: "done", result: "yes", by: person, door: "person" });
  expect(await drive(all, id)).toMatchObject({ state: "succeeded" });
  expect(all.begun.get(`plan:${id}:b:1`)?.outputs.get("agree")).toBe("yes");
});

it("agents beyond the cap, or deeper than it, are refused, and none of them is left on record", async () => {
  const { id } = await plan([agent("a")], { agents: 2, depth: 2 });
  const spawn = (depth: number) =>
    spawnAgent(
      {
        ...{ store, log: silentLog, requirePlanRoom, requireCommand: async () => {} },
        requireRole: async () => ({ version: 1, manifest: { limits } }),
      },
      {
        ...{ role: "r", prompt: "p", planId: id, depth, folder: null, dedupeKey: null },
        requestedBy: "me",
        traceId: "t",
      },
    );
  // At once: two find room, whichever they are.
  const asked = await Promise.allSettled([spawn(0), spawn(1), spawn(0), spawn(1)]);
  expect(asked.filter(({ status }) => status === "fulfilled").length).toBe(2);
  expect(asked.find(({ status }) => status === "rejected")).toMatchObject({ reason: { code: "budget_exceeded" } });
  expect((await readPlanUsage(store.db, id)).agents).toBe(2);
  const deep = await plan([agent("a")], { depth: 1 });
  const { id: deepId } = deep;
  await expect(
    store.db.transaction().execute((trx) => requirePlanRoom(trx, { planId: deepId, depth: 1 })),
  ).rejects.toMatchObject({ code: "budget_exceeded" });
  for (const each of [id, deepId]) {
    await cancelPlan(store.db, { ...by, plan: each });
    await drive(world(), each);
  }
});

const limits = {
  ...{ turns: 1, toolCalls: 1, tokens: 1, usd: 0, timeoutMs: 1_000, contextTokens: 256, outputTokens: 1, depth: 0 },
};

it("a daemon that lost its hold changes nothing any more", async () => {
  const all = world();
  const { id } = await plan([agent("a"), agent("b", { needs: ["a"] })]);
  const claimed = async (owner: string) =>
    (await claimPlans(store.db, { owner, alone: true })).find((each) => each.id === id);
  const [old, now] = [await claimed("old"), await claimed("new")];
  if (old === undefined || now === undefined) throw new Error("not held");
  expect(now.lease).toBe(old.lease + 1);
  await drivePlan(all.deps, old, { broken: new Map() });
  expect(await states(id)).toEqual({ a: "waiting", b: "waiting" });
  await drivePlan(all.deps, now, { broken: new Map() });
  expect(await states(id)).toEqual({ a: "running", b: "waiting" });
  await drive(all, id);
});

it("a link in the place of a node's folder is not followed", async () => {
  const all = world();
  const { id } = await plan([agent("a"), agent("evil")], { parallel: 1 });
  const elsewhere = mkdtempSync(join(tmpdir(), "elsewhere-"));
  const held = (await claimPlans(store.db, { owner: "me", alone: true })).find((each) => each.id === id);
  if (held === undefined) throw new Error("not held");
  await drivePlan(all.deps, held, { broken: new Map() });
  symlinkSync(elsewhere, join(folder, `P${id}`, "evil"));
  await drive(all, id);
  expect(await states(id)).toEqual({ a: "succeeded", evil: "failed" });
  expect((await readPlanArtifacts(store.db, id)).map(({ node }) => node)).toEqual(["a"]);
  rmSync(elsewhere, { recursive: true });
});

describe("random graphs, failures and deaths of daemons", () => {
  const fate = fc.constantFrom("ok" as const, "chance" as const, "hopeless" as const);
  const cases = fc.integer({ min: 1, max: 7 }).chain((size) =>
    fc.record({
      needs: fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: size, maxLength: size }),
      fates: fc.array(fc.array(fate, { maxLength: 3 }), { minLength: size, maxLength: size }),
      optional: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
      parallel: fc.integer({ min: 1, max: 3 }),
      chance: fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
    }),
  );

  it("each node ends once, none before what it needs, none is begun twice for one try, and the plan ends", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ needs, fates, optional, parallel, chance }) => {
        const roll = (below: number) => (chance.next().value ?? 9) < below;
        const key = (at: number) => `n${at}`;
        const nodes = needs.map((list, at) =>
          agent(key(at), {
            needs: at === 0 ? [] : [...new Set(list.map((each) => key(each % at)))],
            optional: optional[at] === true,
          }),
        );
        const all = world(Object.fromEntries(fates.map((list, at) => [key(at), list])));
        let blows = 25;
        all.blowWhen(() => roll(2) && blows-- > 0);
        const { id } = await plan(nodes, { parallel });
        const ended = await drive(all, id, { dies: () => roll(3) });
        const rows = await readPlanNodes(store.db, id);
        expect(isPlanAtRest(ended.state)).toBe(true);
        for (const row of rows) {
          expect(hasEnded(row.state)).toBe(true);
          const tries = readHistory(row.history);
          // Every begun try is on record once, and nothing else was begun.
          expect([...all.begun.values()].filter(({ node }) => node === row.key).length).toBe(tries.length);
          expect(tries.map(({ attempt }) => attempt)).toEqual(tries.map((_, at) => at + 1));
          expect(tries.filter(({ state }) => state === "succeeded").length).toBe(row.state === "succeeded" ? 1 : 0);
          const given = fates[Number(row.key.slice(1))] ?? [];
          if (row.state === "failed") expect(given[tries.length - 1]).toBe(tries.length === 3 ? given[2] : "hopeless");
        }
        const state = Object.fromEntries(rows.map((row) => [row.key, row.state]));
        for (const { key: own, needs: list } of nodes.map(
          (node) => planSpec.shape.nodes.parse([node])?.[0] ?? never(),
        )) {
          const blocked = list.some((need) => state[need] !== "succeeded" && optional[Number(need.slice(1))] !== true);
          expect(state[own] === "skipped").toBe(blocked);
          const at = [...all.begun.values()].findIndex(({ node }) => node === own);
          for (const need of list) {
            const before = [...all.begun.values()].findLastIndex(({ node }) => node === need);
            if (at >= 0) expect(before).toBeLessThan(at);
          }
        }
        const bad = rows.some(({ state, optional }) => !optional && state !== "succeeded");
        expect(ended.state).toBe(bad ? "failed" : "succeeded");
        const word = { succeeded: "done", failed: "failed", skipped: "skipped" } as const;
        const tasks = await taskStates(id);
        for (const row of rows) {
          expect(tasks[row.key]).toBe(
            word[row.state === "succeeded" || row.state === "failed" ? row.state : "skipped"],
          );
        }
      }),
      { numRuns: 25 },
    );
  });
});

function never(): never {
  throw new Error("no node");
}
