import { describe, expect, test } from "vitest";
import { addJob } from "../../../tests/support/runs.ts";
import { testStore } from "../../../tests/support/store.ts";
import { addWorker, testWorker } from "../../../tests/support/workers.ts";
import type { Store } from "../../store/open-store.ts";
import { claim } from "../queue/claim.ts";
import { enqueue, type NewRun } from "../queue/enqueue.ts";
import { settle } from "../queue/settle.ts";
import { whoLacksWhat, whyWaiting } from "./why-waiting.ts";

const order = { trigger: "host", requestedBy: "test", traceId: "t" } as const;
const label = (name: string) => ({ kind: "label", name });
const worker = (host: string, unserved = {}, problem: string | null = null) => ({ host, unserved, problem });

test.each([
  ["no worker", [], "no worker is there"],
  ["one that can", [worker("a", { job: [label("gpu")] }), worker("b")], undefined],
  ["one that lacks something for another job", [worker("a", { other: [label("gpu")] })], undefined],
  [
    "all without the same",
    [worker("a", { job: [label("gpu")] }), worker("b", { job: [label("gpu")] })],
    "no worker has label gpu",
  ],
  [
    "each without something else",
    [worker("a", { job: [label("gpu")] }), worker("b", { job: [{ kind: "secret", name: "TOKEN" }] })],
    "a has no label gpu; b has no secret TOKEN",
  ],
  [
    "one that could but takes nothing",
    [worker("a", { job: [label("gpu")] }), worker("b", {}, "it trusts no key.")],
    "no worker that takes runs has label gpu; b: it trusts no key.",
  ],
  ["none that takes anything", [worker("b", {}, "it trusts no key.")], "b: it trusts no key."],
  [
    "a key that one does not trust",
    [worker("a", { job: [{ kind: "approval", name: "" }] })],
    "no worker trusts the key that approved it",
  ],
])("who lacks what: %s", (_what, workers, expected) => {
  expect(whoLacksWhat(workers, "job")).toBe(expected);
});

describe.each(["pglite", "postgres"] as const)("why a run waits, on %s", (kind) => {
  const add = async ({ db }: Store, job: string, more: Partial<NewRun> = {}) =>
    (await enqueue(db, { ...order, job, ...more })).run;

  test("a job that is paused, machines that cannot, a run before it, places that are taken", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    for (const job of ["gpu", "busy", "once"]) await addJob(db, job);
    await addJob(db, "paused", { state: "paused" });
    expect(await whyWaiting(store, await add(store, "once"))).toBe("no worker is there");
    await addWorker(db, testWorker("small", { max: 2 }), { running: 2, unserved: { gpu: [label("gpu")] } });
    await addWorker(db, testWorker("over"), { state: "draining" });
    expect(await whyWaiting(store, await add(store, "paused"))).toBe("its job paused is paused");
    expect(await whyWaiting(store, await add(store, "gpu"))).toBe("no worker has label gpu");
    expect(await whyWaiting(store, await add(store, "busy"))).toBe(
      "all 2 places of the worker that can take it are busy",
    );
    const { runs } = await claim(db, { worker: "small", limit: 1 });
    const again = await add(store, "once");
    expect(await whyWaiting(store, again)).toBe(`R${runs[0]?.id} of the same job must end first`);
    await addWorker(db, testWorker("free"));
    expect(await whyWaiting(store, await add(store, "busy"))).toBeUndefined();
  });

  test("one that is not due, runs or has ended waits for nothing", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    expect(await whyWaiting(store, await add(store, "a", { runAt: new Date(Date.now() + 3_600_000) }))).toBeUndefined();
    await add(store, "a");
    const [run] = (await claim(db, { worker: "w", limit: 1 })).runs;
    if (run === undefined) throw new Error("nothing claimed");
    expect(await whyWaiting(store, run)).toBeUndefined();
  });

  test("what a worker said when it put the run back is the reason, where no list of needs tells it", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    await addWorker(db, testWorker("w"));
    const { id } = await add(store, "a");
    await claim(db, { worker: "w", limit: 1 });
    const error = { reason: "unserved", class: "transient", message: "worker w has no secret TOKEN" } as const;
    const back = await settle(db, {
      runId: id,
      attempt: 1,
      lease: 1,
      outcome: { state: "unserved", error },
      retry: null,
    });
    if (back === undefined) throw new Error("not put back");
    expect(await whyWaiting(store, back)).toBe("worker w has no secret TOKEN");
  });
});
