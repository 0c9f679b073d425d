import fc from "fast-check";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { testStore } from "../../tests/support/store.ts";
import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import type { Actor } from "./actor.ts";
import { claimTask } from "./claim-task.ts";
import { createTasks } from "./create-tasks.ts";
import { finishTask } from "./finish-task.ts";

const by: Actor = { actor: "test", traceId: null };
const most = 14;

/** Any graph at all: what each needs, and what it is a part of. */
const graphs = fc.array(
  fc.record({
    needs: fc.uniqueArray(fc.nat({ max: most - 1 }), { maxLength: 3 }),
    parent: fc.option(fc.nat({ max: most - 1 })),
  }),
  { minLength: 1, maxLength: most },
);
type Graph = readonly Readonly<{ needs: readonly number[]; parent: number | null }>[];

/** Only edges to what came before, so that there is no circle: parents wait for later parts, so these need nothing above them. */
function withoutCircles(graph: Graph): Graph {
  return graph.map(({ needs }, at) => ({ needs: needs.filter((to) => to < at), parent: null }));
}

/** What each waits for, in the words of this test alone. */
function waitsOf(graph: Graph): Set<number>[] {
  const waits = graph.map(({ needs }) => new Set(needs.filter((to) => to < graph.length)));
  for (const [at, { parent }] of graph.entries()) if (parent !== null && parent < graph.length) waits[parent]?.add(at);
  return waits;
}

/** Takes away what waits for nothing until nothing is left; what stays is in or behind a circle. */
function hasCircle(graph: Graph): boolean {
  const left = new Map(waitsOf(graph).entries());
  for (let gone = true; gone; ) {
    gone = false;
    for (const [at, waits] of left) {
      if ([...waits].some((to) => left.has(to))) continue;
      left.delete(at);
      gone = true;
    }
  }
  return left.size > 0;
}

function make(db: Db, graph: Graph) {
  const there = (to: number) => to < graph.length;
  const tasks = graph.map(({ needs, parent }, at) => ({
    key: `k${at}`,
    title: `n${at}`,
    dependsOn: needs.filter(there).map((to) => `k${to}`),
    parent: parent === null || !there(parent) ? null : `k${parent}`,
  }));
  return createTasks(db, { tasks, by });
}

async function empty(db: Db): Promise<void> {
  await sql`truncate tasks cascade`.execute(db);
}

test("a circle is always refused and truly named; whatever else is made ends in order, and nothing waits for ever", async () => {
  await using store = await testStore();
  const { db } = store;
  const seen = { circles: 0, ended: 0 };
  const check = async (graph: Graph) => {
    await empty(db);
    const waits = waitsOf(graph);
    const made = await make(db, graph).catch((thrown: unknown) => thrown);
    if (hasCircle(graph)) {
      seen.circles += 1;
      if (!(made instanceof UserError)) throw new Error("no refusal");
      expect(made.code).toBe("task_cycle");
      const circle = Array.from(made.message.matchAll(/k(\d+) "n/g), ([, at]) => Number(at));
      expect(circle.length).toBeGreaterThan(1);
      expect(circle[0]).toBe(circle.at(-1));
      for (const [at, from] of circle.slice(0, -1).entries()) expect(waits[from]).toContain(circle[at + 1]);
      return;
    }
    if (!Array.isArray(made)) throw made;
    const ended = new Set<number>();
    for (let task = await claimTask(db, { by }); task !== undefined; task = await claimTask(db, { by })) {
      const at = Number(task.title.slice(1));
      for (const to of waits[at] ?? []) expect(ended, `n${at} waits for n${to}`).toContain(to);
      await finishTask(db, { id: task.id, state: "done", result: null, claim: task.claim, by });
      ended.add(at);
    }
    expect(ended.size).toBe(graph.length);
    seen.ended += 1;
  };
  await fc.assert(fc.asyncProperty(graphs, check), { numRuns: 12 });
  await fc.assert(fc.asyncProperty(graphs.map(withoutCircles), check), { numRuns: 12 });
  expect(seen.circles).toBeGreaterThan(2);
  expect(seen.ended).toBeGreaterThan(10);
});
