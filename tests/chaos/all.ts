import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { databaseOutage } from "./database-outage.ts";
import { postgresChaos } from "./postgres-chaos.ts";

/*
 * The long forms of what CI runs in short ones:
 *
 *   npm run chaos                      everything, about an hour
 *   npm run chaos -- --only postgres   one part; --runs 300 and --seed 7 change how long it goes and which blows fall
 *   npm run chaos -- --only outage     a database that is away for --outage-minutes 10
 */

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    runs: { type: "string", default: "1500" },
    rounds: { type: "string", default: "500" },
    "outage-minutes": { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

/** Each tells whether all went well. */
const parts: Readonly<Record<string, () => boolean | Promise<boolean>>> = {
  postgres,
  outage,
  pglite: () => program("pglite-kill.ts", "--rounds", values.rounds),
  year: () => program("simulated-year.ts", "--seed", values.seed),
};

const began = performance.now();
const say = (text: string) => console.log(`${Math.round((performance.now() - began) / 1000)} s  ${text}`);

async function postgres(): Promise<boolean> {
  return tell(await postgresChaos({ runs: Number(values.runs), everyMs: 2_000, seed: Number(values.seed), say }));
}

async function outage(): Promise<boolean> {
  return tell(await databaseOutage({ minutes: Number(values["outage-minutes"]), say }));
}

function tell(problems: readonly string[] | undefined): boolean {
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
