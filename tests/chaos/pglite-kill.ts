import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { packageRoot } from "../../server/home.ts";
import { isFinal } from "../../server/runs/run-states.ts";
import { type E2eHome, e2eHome, must } from "../support/e2e-home.ts";
import { type Accepted, type Answer, callDaemon, type Door, loadDaemon, submitSource } from "./daemon-load.ts";
import { numbers } from "./random-numbers.ts";

/*
 * Rounds of kill -9 of a daemon on the embedded store, each in the middle of requests: `node tests/chaos/pglite-kill.ts --rounds 500`.
 * Whatever the daemon has answered must be there afterwards.
 */

export type KillOptions = Readonly<{ rounds: number; seed: number; say(text: string): void }>;
export type KillReport = Readonly<{ problems: readonly string[]; submits: number; runs: number; lines: number }>;

/** A round ends at one of so many answers of one kind, whatever else is in flight at that moment. */
const mostAnswers: Readonly<Record<Answer, number>> = { submit: 2, run: 40, lines: 20 };
const kinds = ["submit", "run", "lines"] as const;

const steady = `import { defineJob, z } from "jobrunner";
export default defineJob({
  description: "logs between effects",
  limits: { runsPerHour: 100000 },
  schedule: { cron: "0 0 1 1 *", overlap: "allow" },
  input: z.object({ n: z.number().default(0) }),
  async run({ input, kv, log }) {
    for (let i = 0; i < 4; i++) {
      log.info(input.n + "." + i);
      await kv.set("at", input.n);
    }
    return input.n;
  },
});
`;

/** Kills the daemon again and again, and tells what was answered and is not there. */
export async function pgliteKill({ rounds, seed, say }: KillOptions): Promise<KillReport> {
  const random = numbers(seed);
  const accepted: Accepted = { versions: new Map(), runs: new Map(), lines: new Map() };
  await using home = await e2eHome();
  writeFileSync(join(home.env.JOBRUNNER_HOME ?? "", "config.yaml"), "retention:\n  runsPerJob: 1000000\n");
  home.setUpUnprotected();
  {
    await using daemon = await startDaemon(home);
    await submitSource(daemon.door, "steady", steady);
    must(await home.approve("steady"));
  }
  const problems: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    await using daemon = await startDaemon(home);
    problems.push(...(await findLosses(daemon.door, accepted, round - 1)));
    const kill = new AbortController();
    kill.signal.addEventListener("abort", () => daemon.child.kill("SIGKILL"));
    const last = kinds[round % kinds.length] ?? "run";
    let left = 1 + Math.floor(random() * mostAnswers[last]);
    const onAnswer = (kind: Answer) => {
      if (kind === last) left -= 1;
      if (left === 0) kill.abort();
    };
    await loadDaemon(daemon.door, { round, accepted, onAnswer, signal: kill.signal });
    if (round % 20 === 0 || problems.length > 0) say(`${round} rounds, ${problems.length} problems`);
  }
  await using daemon = await startDaemon(home);
  for (const [id] of accepted.runs) await ended(daemon.door, id);
  problems.push(...(await findLosses(daemon.door, accepted, "all")));
  const lines = [...accepted.lines.values()].reduce((sum, each) => sum + each.size, 0);
  return { problems, submits: accepted.versions.size, runs: accepted.runs.size, lines };
}

type Started = AsyncDisposable & Readonly<{ child: ChildProcess; door: Door }>;

/** A daemon that answers. Disposing it kills it, where it lives still. */
async function startDaemon({ env }: E2eHome): Promise<Started> {
  const home = env.JOBRUNNER_HOME ?? "";
  const child = spawn(process.execPath, [join(packageRoot, "server", "jr.mjs"), "daemon"], { env, stdio: "ignore" });
  const gone = once(child, "exit");
  while (child.exitCode === null) {
    const door = readDoor(home, child.pid);
    if (door !== undefined && (await fetch(new URL("healthz", door.url)).catch(() => undefined))?.ok === true) {
      const stop = async () => {
        child.kill("SIGKILL");
        await gone;
      };
      return { child, door, [Symbol.asyncDispose]: stop };
    }
    await delay(20);
  }
  throw new Error(`the daemon did not start: ${readFileSync(join(home, "logs", "daemon.log"), "utf8").slice(-2_000)}`);
}

function readDoor(home: string, pid: number | undefined): Door | undefined {
  const info = join(home, "daemon.json");
  if (!existsSync(info)) return undefined;
  const told: { pid: number; url: string } = JSON.parse(readFileSync(info, "utf8"));
  if (told.pid !== pid || told.url === "") return undefined;
  return { url: told.url, token: readFileSync(join(home, "keys", "person.token"), "utf8").trim() };
}

async function ended(door: Door, id: number): Promise<void> {
  for (;;) {
    const { run } = await callDaemon(door, "GET", `/api/runs/${id}/wait?seconds=20`);
    if (isFinal(run.state)) return;
  }
}

/** What was answered, in one round or in all of them, and is not there. */
async function findLosses(door: Door, { versions, runs, lines }: Accepted, round: number | "all"): Promise<string[]> {
  const problems: string[] = [];
  const missing = (what: string) => problems.push(`answered in round ${round} and lost: ${what}`);
  for (const [number, version] of versions) {
    if (round !== "all" && version.round !== round) continue;
    const found = await callDaemon(door, "GET", `/api/jobs/submitted/versions/${number}/files`).catch(() => undefined);
    if (found?.files[0]?.text !== version.source) missing(`v${number}`);
  }
  for (const [id, { n, round: of }] of runs) {
    if (round !== "all" && of !== round) continue;
    const found = await callDaemon(door, "GET", `/api/runs/${id}`).catch(() => undefined);
    if (found === undefined || JSON.parse(found.run.input).n !== n) missing(`R${id}`);
    if (round !== "all") continue;
    const { lines: log } = await callDaemon(door, "GET", `/api/runs/${id}/log?tail=100`);
    const texts = log.map(({ text }: { text: string }) => text);
    for (const text of lines.get(id) ?? []) if (!texts.includes(text)) missing(`the line ${text} of R${id}`);
    const { state, output } = found?.run ?? {};
    const whole = [0, 1, 2, 3].map((i) => `${n}.${i}`);
    if (state !== "succeeded" || output !== String(n) || texts.join() !== whole.join())
      problems.push(`R${id} ended as ${state} with ${output} and logged ${texts}`);
  }
  return problems;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { rounds: { type: "string", default: "500" }, seed: { type: "string", default: "1" } },
  });
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const report = await pgliteKill({ rounds: Number(values.rounds), seed: Number(values.seed), say });
  const { problems, submits, runs, lines } = report;
  say(
    `${values.rounds} rounds of kill -9, seed ${values.seed}: ${submits} submits, ${runs} runs and ${lines} lines of logs were answered`,
  );
  for (const problem of problems) say(problem);
  say(problems.length === 0 ? "all of them are there" : `${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
