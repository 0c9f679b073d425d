import fc from "fast-check";
import { expect, test } from "vitest";
import { conversation, converse } from "./protocol-cases.ts";

test("whatever a runner says, the parent ends the run with an outcome that it knows", { timeout: 60_000 }, async () => {
  const seen = new Set<string>();
  const property = fc.asyncProperty(conversation, async (each) => void seen.add(await converse(each)));
  await fc.assert(property, { numRuns: 2_000, seed: 20261124 });
  // Conversations that all end in the same way would prove little.
  expect([...seen].sort()).toEqual(["crashed", "failed", "limit_exceeded", "out_of_memory", "succeeded"]);
});
