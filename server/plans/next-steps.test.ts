import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasEnded, type NodeStanding, nextSteps } from "./next-steps.ts";
import { dependantsOf } from "./order-nodes.ts";

const now = new Date("2026-11-27T12:00:00Z");
const node = (key: string, over: Partial<NodeStanding> = {}): NodeStanding => ({
  ...{ key, kind: "agent", needs: [], optional: false, state: "waiting", next_try_at: null },
  ...over,
});

it("what waits for people takes no place of those at work", () => {
  const nodes = [
    node("ask", { kind: "person", state: "running" }),
    node("a", { state: "running" }),
    node("b"),
    node("c"),
    node("told", { kind: "host" }),
  ];
  expect(nextSteps(nodes, { now, parallel: 2 }).start).toEqual(["b", "told"]);
});

it("a retry waits for its time", () => {
  const later = new Date(now.getTime() + 1_000);
  const nodes = [node("a", { next_try_at: later }), node("b", { next_try_at: now })];
  expect(nextSteps(nodes, { now, parallel: 4 })).toEqual({ start: ["b"], skip: [], nextTryAt: later, end: null });
});

it("an optional failure is no failure of those behind it", () => {
  const nodes = [
    node("a", { state: "failed", optional: true }),
    node("b", { needs: ["a"] }),
    node("c", { state: "failed" }),
    node("d", { needs: ["c"], optional: true }),
    node("e", { needs: ["d"] }),
  ];
  const { start, skip, end } = nextSteps(nodes, { now, parallel: 4 });
  expect(start).toEqual(["b", "e"]);
  expect(skip).toEqual([{ key: "d", because: "c" }]);
  expect(end).toBeNull();
});

describe("random graphs with random failures", () => {
  const plan = fc.integer({ min: 1, max: 12 }).chain((size) =>
    fc.record({
      lists: fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: size, maxLength: size }),
      fate: fc.array(fc.constantFrom("succeeded", "failed"), { minLength: size, maxLength: size }),
      optional: fc.array(fc.boolean(), { minLength: size, maxLength: size }),
      parallel: fc.integer({ min: 1, max: 4 }),
      finish: fc.infiniteStream(fc.nat()),
    }),
  );

  it("respect the order, end, and skip exactly the dependants of failures", () => {
    fc.assert(
      fc.property(plan, ({ lists, fate, optional, parallel, finish }) => {
        const needsOf = (at: number) =>
          at === 0 ? [] : [...new Set((lists[at] ?? []).map((each) => `n${each % at}`))];
        let nodes = fate.map((_, at) => node(`n${at}`, { needs: needsOf(at), optional: optional[at] === true }));
        const set = (key: string, state: NodeStanding["state"]) => {
          nodes = nodes.map((each) => (each.key === key ? { ...each, state } : each));
        };
        const ended: string[] = [];
        for (let step = nextSteps(nodes, { now, parallel }); step.end === null; ) {
          for (const { key } of step.skip) set(key, "skipped");
          for (const key of step.start) {
            const needs = nodes.find((each) => each.key === key)?.needs ?? [];
            for (const each of nodes) if (needs.includes(each.key)) expect(hasEnded(each.state)).toBe(true);
            set(key, "running");
          }
          const running = nodes.filter(({ state }) => state === "running");
          expect(running.length).toBeLessThanOrEqual(parallel);
          const next = running[(finish.next().value ?? 0) % Math.max(1, running.length)];
          if (next !== undefined) {
            expect(ended).not.toContain(next.key);
            ended.push(next.key);
            set(next.key, fate[Number(next.key.slice(1))] ?? "failed");
          } else expect(step.skip.length).toBeGreaterThan(0);
          step = nextSteps(nodes, { now, parallel });
          if (step.end !== null) for (const { key } of step.skip) set(key, "skipped");
        }
        const strict = new Map(
          nodes.map(({ key, needs }) => [
            key,
            needs.filter((need) => nodes.find((each) => each.key === need)?.optional === false),
          ]),
        );
        const failed = nodes.filter(({ state, optional }) => state === "failed" && !optional).map(({ key }) => key);
        expect(nodes.filter(({ state }) => state === "skipped").map(({ key }) => key)).toEqual(
          nodes.map(({ key }) => key).filter((key) => dependantsOf(strict, failed).has(key) && !ended.includes(key)),
        );
        for (const { state } of nodes) expect(hasEnded(state)).toBe(true);
      }),
    );
  });
});
