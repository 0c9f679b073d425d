import { expect, test } from "vitest";
import { simulate } from "../../tests/support/simulation/simulate.ts";
import { storeKinds } from "../../tests/support/store.ts";

/** The short form; `node tests/chaos/simulated-year.ts` is the long one. */
test.each(storeKinds)(
  "two months of 20 schedules on %s, with sleeps, clocks that jump and daemons that come and go: each slot has one outcome",
  {
    timeout: 900_000,
  },
  async (kind) => {
    const from = Date.UTC(2026, 2, 1);
    const { problems, figures, dealt } = await simulate({
      kind,
      schedules: 20,
      from,
      to: from + 61 * 86_400_000,
      seed: kind === "pglite" ? 20261125 : 20261126,
    });
    expect(problems).toEqual([]);
    expect(figures.slots).toBe(figures.ran + figures.deadline + figures.skipped + figures.missed);
    for (const outcome of ["ran", "skipped", "missed"] as const) expect(figures[outcome], outcome).toBeGreaterThan(0);
    expect(Object.keys(dealt).length).toBeGreaterThan(5);
  },
);
