import { expect, test } from "vitest";
import { createDeliveries, type Due } from "./deliveries.ts";

/** Adds answers by name and tells in which order, and at what time, they reach the guest. */
function queue(order: readonly number[] = []) {
  const seen: string[] = [];
  const deliveries = createDeliveries(0, order);
  return {
    seen,
    quiet: deliveries.quiet,
    add: (name: string, due: Due, mayEnd = false) => deliveries.add(due, mayEnd, (ms) => seen.push(`${name}@${ms}`)),
  };
}

const recorded = (delivered: number): Due => ({ kind: "record", delivered, guestMs: delivered * 10 });

test("what is on record comes in the order in which it came then, whatever the order of issue", () => {
  const it = queue([1, 2, 3]);
  for (const delivered of [3, 2, 1]) it.add(`r${delivered}`, recorded(delivered));
  expect(it.seen).toEqual(["r1@10", "r2@20", "r3@30"]);
});

test("what is never asked for again holds nothing up once the guest waits", () => {
  const it = queue([1, 2, 3]);
  it.add("r2", recorded(2));
  expect(it.seen).toEqual([]);
  it.quiet();
  it.add("r3", recorded(3));
  it.add("late", recorded(1));
  expect(it.seen).toEqual(["r2@20", "r3@30", "late@30"]);
});

test("timers end by their time and after everything else, and the clock never goes back", () => {
  const it = queue([1]);
  it.add("long", { kind: "time", ms: 90 });
  it.add("short", { kind: "time", ms: 60 });
  it.add("now", { kind: "now" });
  it.add("r1", recorded(1));
  expect(it.seen).toEqual(["now@0", "r1@10"]);
  for (let i = 0; i < 3; i++) it.quiet();
  it.add("after", { kind: "now" });
  expect(it.seen.slice(2)).toEqual(["short@60", "long@90", "after@90"]);
});

test("an error waits until the guest does, so that calls made at the same time are all seen", () => {
  const it = queue([1, 2]);
  it.add("error", { kind: "now" }, true);
  it.add("r1", recorded(1), true);
  it.add("r2", recorded(2));
  expect(it.seen).toEqual([]);
  it.quiet();
  expect(it.seen).toEqual(["error@0"]);
  it.quiet();
  expect(it.seen).toEqual(["error@0", "r1@10", "r2@20"]);
});
