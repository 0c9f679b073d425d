import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { postgresChaos } from "./postgres-chaos.ts";

/*
 * The long forms of what CI runs in short ones:
 *
 *   npm run chaos                      everything, about an hour
 *   npm run chaos -- --only postgres   one part; --runs 300 and --seed 7 change how long it goes and which blows fall
 */

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string", default: "1500" },
    rounds: { type: "string", default: "500" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

/** Each tells whether all went well. */
const parts: Readonly<Record<string, () => boolean | Promise<boolean>>> = {
  postgres,
  pglite: () => program("pglite-kill.ts", "--rounds", values.rounds),
  year: () => program("simulated-year.ts", "--seed", values.seed),
};

async function postgres(): Promise<boolean> {
  const began = performance.now();
  const say = (text: string) => console.log(`${Math.round((performance.now() - began) / 1000)} s  ${text}`);
  const problems = await postgresChaos({ runs: Number(values.runs), everyMs: 2_000, seed: Number(values.seed), say });
  if (problems === undefined) {
    console.error("this machine has no PostgreSQL server of its own to restart");
    return false;
  }
  for (const problem of problems) console.error(problem);
  console.log(`${problems.length} problems`);
  return problems.length === 0;
}

function program(file: string, ...args: string[]): boolean {
  return spawnSync(process.execPath, [join(import.meta.dirname, file), ...args], { stdio: "inherit" }).status === 0;
}

const names = values.only === undefined ? Object.keys(parts) : [values.only];
for (const name of names) {
  const part = parts[name];
  if (part === undefined) {
    console.error(`There is no part "${name}"; there are ${Object.keys(parts).join(", ")}.`);
    process.exit(2);
  }
  console.log(`== ${name}, seed ${values.seed}`);
  if (!(await part())) process.exitCode = 1;
}
process.exit();
