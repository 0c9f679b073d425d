import { expect, test } from "vitest";
import { postgresChaos } from "./postgres-chaos.ts";

/** The short form; `npm run chaos` is the long one. */
test("four workers, blows at random: every accepted run ends once, and nothing is done twice that must not be", {
  timeout: 900_000,
}, async (context) => {
  const problems = await postgresChaos({ runs: 150, everyMs: 1_200, seed: 20261124, say: () => {} });
  if (problems === undefined) return context.skip("this machine has no PostgreSQL server of its own to restart");
  expect(problems).toEqual([]);
});
