import { parseArgs } from "node:util";
import { simulate } from "../support/simulation/simulate.ts";

/* 200 schedules through a year of virtual time, judged slot by slot: `node tests/chaos/simulated-year.ts`. A seed repeats a life. */
const { values } = parseArgs({
  options: {
    schedules: { type: "string", default: "200" },
    days: { type: "string", default: "365" },
    seed: { type: "string", default: `${Date.now() % 1_000_000}` },
  },
});
const from = Date.UTC(2026, 0, 1);
const seed = Number(values.seed);
const began = performance.now();
process.stdout.write(`seed ${seed}\n`);
const { problems, figures, dealt } = await simulate({
  kind: "pglite",
  schedules: Number(values.schedules),
  from,
  to: from + Number(values.days) * 86_400_000,
  seed,
  say: (text) => process.stdout.write(`${text}\n`),
});
const seconds = Math.round((performance.now() - began) / 1_000);
process.stdout.write(`${JSON.stringify({ ...figures, ...dealt, seconds }, null, 2)}\n`);
for (const problem of problems.slice(0, 50)) process.stdout.write(`WRONG: ${problem}\n`);
process.stdout.write(`${problems.length} problems\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
