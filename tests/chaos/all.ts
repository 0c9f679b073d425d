import { parseArgs } from "node:util";
import { postgresChaos } from "./postgres-chaos.ts";

/*
 * The long forms of what CI runs in short ones:
 *
 *   npm run chaos                      everything
 *   npm run chaos -- --only postgres   one part; --runs 300 and --seed 7 change how long it goes and which blows fall
 */

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string", default: "1500" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

const parts: Readonly<Record<string, () => Promise<boolean>>> = {
  postgres,
};

async function postgres(): Promise<boolean> {
  const began = performance.now();
  const say = (text: string) => console.log(`${Math.round((performance.now() - began) / 1000)} s  ${text}`);
  console.log(`postgres: ${values.runs} runs, seed ${values.seed}`);
  const problems = await postgresChaos({ runs: Number(values.runs), everyMs: 2_000, seed: Number(values.seed), say });
  if (problems === undefined) {
    console.error("postgres: this machine has no PostgreSQL server of its own to restart");
    return false;
  }
  for (const problem of problems) console.error(problem);
  console.log(`postgres: ${problems.length} problems`);
  return problems.length === 0;
}

const names = values.only === undefined ? Object.keys(parts) : [values.only];
let failed = false;
for (const name of names) {
  const part = parts[name];
  if (part === undefined) {
    console.error(`There is no part "${name}"; there are ${Object.keys(parts).join(", ")}.`);
    process.exit(2);
  }
  if (!(await part())) failed = true;
}
process.exit(failed ? 1 : 0);
