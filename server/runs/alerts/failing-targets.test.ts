import { expect, test } from "vitest";
import { createFailingTargets } from "./failing-targets.ts";

test("a target that fails is tried after pauses that grow to an hour, and at once when it has worked again", () => {
  let nowMs = 0;
  const targets = createFailingTargets(new Map(), () => nowMs);
  expect(targets.mayTry("me")).toBe(true);
  for (const [tries, pauseS] of [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600].entries()) {
    expect(targets.failed("me", `no answer ${tries}`)).toBe(tries === 0);
    nowMs += pauseS * 1_000 - 1;
    expect(targets.mayTry("me"), `${pauseS} s`).toBe(false);
    expect(targets.mayTry("other")).toBe(true);
    nowMs += 1;
    expect(targets.mayTry("me"), `${pauseS} s`).toBe(true);
  }
  expect(targets.list()).toMatchObject([{ target: "me", message: "no answer 8" }]);
  expect([targets.worked("me"), targets.worked("me")]).toEqual([true, false]);
  expect(targets.list()).toEqual([]);
  expect(targets.failed("me", "again")).toBe(true);
  nowMs += 30_000;
  expect(targets.mayTry("me")).toBe(true);
});

test("a target that cannot work here is told of from the start, is tried all the same, and is no news when it fails", () => {
  const targets = createFailingTargets(new Map([["desktop", "notify-send is not installed"]]), () => 0);
  expect(targets.list()).toMatchObject([{ target: "desktop", message: "notify-send is not installed" }]);
  expect(targets.mayTry("desktop")).toBe(true);
  expect(targets.failed("desktop", "notify-send is not installed")).toBe(false);
  expect(targets.mayTry("desktop")).toBe(false);
});
