import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findCycle } from "../find-cycle.ts";
import { criticalPath } from "./critical-path.ts";
import { dependantsOf, orderNodes } from "./order-nodes.ts";

const graph = fc
  .integer({ min: 1, max: 14 })
  .chain((size) =>
    fc
      .array(fc.array(fc.integer({ min: 0, max: size - 1 }), { maxLength: 4 }), { minLength: size, maxLength: size })
      .map((lists) => new Map(lists.map((list, at) => [`n${at}`, [...new Set(list)].map((need) => `n${need}`)]))),
  );
/** Edges lead to earlier nodes only, in a shuffled order of keys. */
const dag = fc.integer({ min: 1, max: 14 }).chain((size) =>
  fc
    .tuple(
      fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: size, maxLength: size }),
      fc.shuffledSubarray(
        Array.from({ length: size }, (_, at) => at),
        { minLength: size, maxLength: size },
      ),
    )
    .map(([lists, order]) => {
      const needs = (at: number) => (at === 0 ? [] : [...new Set((lists[at] ?? []).map((each) => `n${each % at}`))]);
      return new Map(order.map((at) => [`n${at}`, needs(at)]));
    }),
);

describe("any graph", () => {
  it("has an order of all its nodes, or a circle that is one", () => {
    fc.assert(
      fc.property(graph, (needs) => {
        const cycle = findCycle(needs.keys(), (key) => needs.get(key) ?? []);
        const order = orderNodes(needs);
        expect(order.length === needs.size).toBe(cycle === undefined);
        for (const [i, key] of (cycle ?? []).slice(0, -1).entries()) {
          expect(needs.get(key)).toContain(cycle?.[i + 1]);
        }
        if (cycle !== undefined) expect(cycle.at(-1)).toBe(cycle[0]);
      }),
    );
  });

  it("has every node after all that it needs, one level above the highest of them", () => {
    fc.assert(
      fc.property(dag, (needs) => {
        const level = new Map(orderNodes(needs).map(({ key, level }) => [key, level]));
        expect(level.size).toBe(needs.size);
        for (const [key, list] of needs) {
          expect(level.get(key)).toBe(Math.max(-1, ...list.map((need) => level.get(need) ?? Number.NaN)) + 1);
        }
      }),
    );
  });

  it("has as dependants exactly what reaches the node", () => {
    fc.assert(
      fc.property(dag, (needs) => {
        const reaches = (from: string, to: string): boolean =>
          (needs.get(from) ?? []).some((need) => need === to || reaches(need, to));
        const found = dependantsOf(needs, ["n0"]);
        for (const key of needs.keys()) expect(found.has(key)).toBe(reaches(key, "n0"));
      }),
    );
  });
});

it("a long chain with a circle at its end is found without a deep stack", () => {
  const needs = new Map(Array.from({ length: 20_000 }, (_, at) => [`n${at}`, [`n${at + 1}`]]));
  const find = () => findCycle(needs.keys(), (key) => needs.get(key) ?? []);
  expect(find()).toBeUndefined();
  needs.set("n20000", ["n19999"]);
  expect(find()).toEqual(["n19999", "n20000", "n19999"]);
});

it("the critical path is the chain that takes longest, not the one with most nodes", () => {
  const nodes = [
    { key: "a", needs: [], ms: 10 },
    { key: "b", needs: ["a"], ms: 10 },
    { key: "c", needs: ["b"], ms: 10 },
    { key: "slow", needs: [], ms: 500 },
    { key: "end", needs: ["c", "slow"], ms: 1 },
  ];
  expect(criticalPath(nodes)).toEqual({ keys: ["slow", "end"], ms: 501 });
  expect(criticalPath([])).toEqual({ keys: [], ms: 0 });
});
