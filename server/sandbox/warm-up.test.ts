import { createContext, runInContext } from "node:vm";
import { expect, test } from "vitest";
import { bundleGuest } from "./guest-bundle.ts";
import { splitGuestScripts } from "./guest-scripts.ts";
import { warmUp } from "./warm-up.ts";

/** Runs the warm-up on a guest runtime whose boot tells what it lends and hears. */
async function watched(guest: string) {
  const said: unknown[] = [];
  const context = createContext({ said });
  runInContext(guest, context);
  runInContext(
    `const inner = globalThis.__jobrunnerBoot;
    Object.defineProperty(globalThis, "__jobrunnerBoot", { configurable: true, value: (effect, log, limit, compute) => {
      const entries = inner(
        (seq, op) => { said.push("effect " + op); effect(seq); },
        (_n, level, text) => { said.push(level + " " + text); log(); },
        (name) => said.push("limit " + name),
        compute,
      );
      return { ...entries, status() { const text = entries.status(); said.push(JSON.parse(text || "null")); return text; } };
    } });`,
    context,
  );
  runInContext(warmUp, context);
  await new Promise((resolve) => setImmediate(resolve));
  return said;
}

test("the warm-up logs, calls, hears the reply and ends on the guest runtime of today", async () => {
  const { main } = splitGuestScripts(await bundleGuest());
  expect(await watched(main)).toEqual([
    expect.stringMatching(/^info a line/),
    "effect kv.get",
    null,
    { state: "succeeded", outputJson: "{}" },
  ]);
});

test("a guest runtime that it does not fit goes without", async () => {
  expect(await watched(`globalThis.__jobrunnerBoot = () => ({});`)).toEqual([]);
});
