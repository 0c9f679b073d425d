import { expect, test } from "vitest";
import { pgliteKill } from "./pglite-kill.ts";

/** The short form of `node tests/chaos/pglite-kill.ts --rounds 500`. */
test("whatever a daemon has answered is there after kill -9, on the embedded store", { timeout: 900_000 }, async () => {
  const { problems, submits, runs, lines } = await pgliteKill({ rounds: 5, seed: 20261125, say: () => {} });
  expect(problems).toEqual([]);
  // It was not idle.
  expect(Math.min(submits, runs, lines)).toBeGreaterThan(0);
});
