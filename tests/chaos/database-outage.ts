import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { type E2eHome, e2eHome, must, saveJob } from "../support/e2e-home.ts";
import { startCluster } from "../support/postgres-cluster.ts";

/*
 * A database that is away for minutes, in the middle of runs, and comes back: `npm run chaos -- --only outage --outage-minutes 10`.
 * Nobody lends a hand, the daemon stays the same process, every accepted run is done, and every slot that fell into the time has an outcome.
 */

const working = `import { defineJob } from "jobrunner";
export default defineJob({
  description: "writes and logs",
  limits: { runsPerHour: 100000, timeout: "1h" },
  schedule: { cron: "0 0 1 1 *", overlap: "allow" },
  async run({ kv, log, run }) {
    for (let n = 0; n < 20; n++) {
      await kv.set(run.run + "." + n, n);
      log.info("step " + n);
    }
    return "whole";
  },
});
`;
const ticking = `import { defineJob } from "jobrunner";
export default defineJob({
  description: "every ten seconds",
  limits: { runsPerHour: 100000 },
  schedule: { cron: "*/10 * * * * *", catchUp: "all", catchUpMax: 3 },
  async run() { return "ticked"; },
});
`;

export type OutageOptions = Readonly<{ minutes: number; say(text: string): void }>;

/** Gives what went wrong; undefined where this machine has no PostgreSQL of its own to stop. */
export async function databaseOutage({ minutes, say }: OutageOptions): Promise<string[] | undefined> {
  const cluster = await startCluster();
  if (cluster === undefined) return undefined;
  const problems: string[] = [];
  try {
    await using home = await e2eHome({ databaseUrl: cluster.url });
    home.setUpUnprotected();
    saveJob(home, "working", working);
    saveJob(home, "ticking", ticking);
    must(await home.jr(["start"]));
    for (const job of ["working", "ticking"]) {
      await until(async () => (await home.jr(["job", job])).code === 0);
      must(await home.approve(job));
    }
    must(await home.jr(["run", "working", "--wait"]));
    const pid = home.daemonPid();
    const accepted: string[] = [];
    for (let n = 0; n < 10; n++) accepted.push((await ask(home)) ?? "none");
    const [from, before] = [Date.now(), residentMb(pid)];
    cluster.down();
    try {
      for (let minute = 0; minute < minutes; minute++) {
        await delay(Math.min(1, minutes - minute) * 60_000);
        const { code, stderr } = await home.jr(["run", "working"]);
        if (code !== 1 || !stderr.includes("The database does not answer"))
          problems.push(`minute ${minute + 1}: a request was answered with ${code} ${stderr}`);
        say(`away for ${minute + 1} min, the daemon holds ${residentMb(pid)} MB (${before} before)`);
      }
    } finally {
      cluster.up();
    }
    const back = Date.now();
    await until(async () => {
      const run = await ask(home);
      if (run !== undefined) accepted.push(run);
      return run !== undefined;
    });
    say(`a request was accepted again ${((Date.now() - back) / 1_000).toFixed(1)} s after the database came back`);
    for (const run of accepted) {
      const found = await ended(home, run);
      if (found.state !== "succeeded" || found.output !== '"whole"') problems.push(`${run} ended as ${found.state}`);
    }
    const slots = await slotsWithOutcome(home, "ticking", from, back);
    const due = Math.floor((back - from) / 10_000);
    if (Math.abs(slots - due) > 1) problems.push(`${slots} of about ${due} slots have an outcome`);
    if (home.daemonPid() !== pid) problems.push("the daemon is another one");
    say(`${accepted.length} runs accepted, ${slots} slots with an outcome, the daemon holds ${residentMb(pid)} MB`);
  } finally {
    cluster.stop();
  }
  return problems;
}

/** Asks for a run; its number where it was accepted. */
async function ask(home: E2eHome): Promise<string | undefined> {
  const { code, stdout } = await home.jr(["run", "working"]);
  return code === 0 ? /R\d+/.exec(stdout)?.[0] : undefined;
}

async function ended(home: E2eHome, run: string): Promise<{ state: string; output: string | null }> {
  let found: { state: string; output: string | null } = { state: "", output: null };
  await until(async () => {
    const { stdout } = await home.jr(["show", run, "--json"]);
    found = JSON.parse(stdout || "{}").run ?? found;
    return !["", "queued", "running", "suspended"].includes(found.state);
  });
  return found;
}

const patienceMs = 5 * 60_000;

async function until(done: () => Promise<boolean>): Promise<void> {
  for (const from = performance.now(); !(await done()); await delay(250)) {
    if (performance.now() - from > patienceMs) throw new Error("it did not recover");
  }
}

/** Slots between two times of which something is on record: a run, or why there is none. */
async function slotsWithOutcome(home: E2eHome, job: string, from: number, to: number): Promise<number> {
  const isBetween = (slot: string | null) => slot !== null && Date.parse(slot) >= from && Date.parse(slot) <= to;
  const { rows } = JSON.parse(must(await home.jr(["runs", "--job", job, "--limit", "200", "--json"])).stdout);
  const { skipped } = JSON.parse(must(await home.jr(["job", job, "--json"])).stdout);
  const ran = rows.filter((run: { slot: string | null }) => isBetween(run.slot)).length;
  const stretches = skipped.filter((each: { slot: string }) => isBetween(each.slot));
  return ran + stretches.reduce((sum: number, each: { slots: number | null }) => sum + (each.slots ?? 0), 0);
}

function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}
