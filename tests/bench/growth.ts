/*
 * How costs grow: at 10, 1,000 and 10,000 jobs with schedules, with a backlog in the queue, and at a million finished runs in
 * history. On a throw-away PostgreSQL, or with TEST_STORE=pglite on an embedded store in memory (its history ends at 100,000).
 * `node tests/bench/growth.ts [runs of history] [most jobs]`
 */
import { sql } from "kysely";
import { listComingSlots } from "../../server/daemon/api/coming-slots.ts";
import { statusApi } from "../../server/daemon/api/status.ts";
import { readStoreFigures } from "../../server/daemon/metrics/read-store.ts";
import { silentLog } from "../../server/log.ts";
import { fireDueSlots } from "../../server/runs/fire-slots.ts";
import { followEndedRuns } from "../../server/runs/metrics/follow-ended-runs.ts";
import { summarizeWindow } from "../../server/runs/metrics/window-summary.ts";
import { claim } from "../../server/runs/queue/claim.ts";
import { enqueue } from "../../server/runs/queue/enqueue.ts";
import { reap } from "../../server/runs/queue/reap.ts";
import { settle } from "../../server/runs/queue/settle.ts";
import { listRuns, listSkippedSlots } from "../../server/runs/read.ts";
import { enforceRetention } from "../../server/runs/retention.ts";
import { startScheduler } from "../../server/runs/scheduler.ts";
import { createServing } from "../../server/runs/workers/serving.ts";
import { openStore, type Store } from "../../server/store/open-store.ts";
import { jobList } from "../../tools/job-list.ts";
import { status } from "../../tools/status.ts";
import { testToolContext } from "../support/mcp-context.ts";
import { startCluster } from "../support/postgres-cluster.ts";
import { addAttempt } from "../support/runs.ts";
import { testStore } from "../support/store.ts";
import { percentile } from "./figures.ts";
import { jobName, type SeededHome, seedHistory, seedHome, seedJobs } from "./growth-seed.ts";

const embedded = process.env.TEST_STORE === "pglite";
const history = Number(process.argv[2] ?? (embedded ? 100_000 : 1_000_000));
const mostJobs = Number(process.argv[3] ?? 10_000);
const rounds = 7;

type Figures = Map<string, number>;

async function median(work: (round: number) => Promise<unknown>, times = rounds): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < times; round += 1) {
    const from = performance.now();
    await work(round);
    taken.push(performance.now() - from);
  }
  return percentile(taken, 0.5);
}

const cluster = embedded ? undefined : await startCluster();
let databases = 0;

async function freshStore(): Promise<Store> {
  if (cluster === undefined) return testStore("pglite");
  databases += 1;
  const name = `growth_${databases}`;
  await using first = await openStore({ dataDir: "", databaseUrl: cluster.url, log: silentLog });
  await sql.raw(`create database ${name}`).execute(first.db);
  const url = new URL(cluster.url);
  url.pathname = `/${name}`;
  return openStore({ dataDir: "", databaseUrl: url.href, log: silentLog });
}

const order = (n: number, concurrency: number | null = null) =>
  ({ job: jobName(n), trigger: "host", requestedBy: "bench", traceId: "bench", concurrency }) as const;

/** One run through the queue: enqueue, claim, an attempt, settle. */
async function dispatch({ db }: Store, job: number): Promise<void> {
  const { run } = await enqueue(db, order(job));
  await claimAndSettle({ db }, run.id);
}

async function claimAndSettle({ db }: Pick<Store, "db">, wanted?: number): Promise<void> {
  const { runs } = await claim(db, { worker: "bench", limit: 1 });
  const [run] = runs;
  if (run === undefined || (wanted !== undefined && run.id !== wanted)) throw new Error("another run was claimed");
  await addAttempt(db, run, 1);
  const outcome = { state: "succeeded", output: null, error: null } as const;
  await settle(db, { runId: run.id, attempt: 1, lease: run.lease, outcome, retry: null });
}

/** What people, agents and timers ask again and again. */
async function measureEverything(store: Store, place: SeededHome): Promise<Figures> {
  const { db } = store;
  const figures: Figures = new Map();
  const measure = async (name: string, work: (round: number) => Promise<unknown>, times?: number) => {
    figures.set(name, await median(work, times));
  };
  const opening = performance.now();
  await using approvals = await place.approvals(store);
  figures.set("start: verify the chain of decisions", performance.now() - opening);
  const context = testToolContext({ home: place.home, deps: { store, approvals } });
  const call = {
    ...context,
    client: { name: "bench", version: "1" },
    traceId: "bench",
    signal: new AbortController().signal,
  };

  await measure(
    "start: bring schedules in step",
    async () => {
      const scheduler = startScheduler({ store, approvals, log: silentLog, clock: () => new Date(), nudge() {} });
      await scheduler.inStep;
      await scheduler[Symbol.asyncDispose]();
    },
    3,
  );
  const self = {
    name: "bench",
    host: "bench",
    home: "bench",
    role: "daemon",
    labels: [],
    max: 1,
    guestRuntimes: [],
  } as const;
  const means = () => ({
    labels: new Set<string>(),
    hasSecret: () => true,
    hasTarget: () => true,
    hasModel: async () => true,
    hasPath: async () => true,
    hasProgram: async () => true,
  });
  const opened = performance.now();
  await using serving = await createServing({ store, approvals, self, means, trustHint: "", log: silentLog });
  figures.set("start: what this worker can serve", performance.now() - opened);
  void serving.except();

  await measure("scheduler tick, nothing due", () => fireDueSlots(db, new Date()));
  await measure("scheduler tick, 10 slots due", async () => {
    await sql`update schedules set next_slot = date_trunc('minute', now()) where job in
      (select job from schedules order by job limit 10)`.execute(db);
    const { rows } = await sql<{ at: Date }>`select date_trunc('minute', now()) as at`.execute(db);
    await fireDueSlots(db, rows[0]?.at ?? new Date());
    await sql`delete from runs where state = 'queued'`.execute(db);
  });
  await measure("request to end of a run in the queue", (round) => dispatch(store, round));
  await measure("look for lost runs", () => reap(db));
  await measure("jr next", () => listComingSlots(db, { limit: 10, now: new Date() }));
  await measure("job_list", () => jobList.call(call, { limit: 50 }));
  const app = statusApi(
    { ...context, pool: { stats: () => ({ idle: 0, busy: 0 }) } },
    {
      startedAt: new Date(),
      worker: () => ({ running: 0, max: 1, connected: true, trouble: null }),
      problems: () => new Map(),
    },
  );
  await measure("jr status", async () => {
    const response = await app.request("/api/status");
    if (response.status !== 200) throw new Error(await response.text());
  });
  await measure("status, the tool", () => status.call(call, {}));
  await measure("run_list", () => listRuns(db, { limit: 50 }));
  await measure("run_list of a job", () => listRuns(db, { job: jobName(3), limit: 50 }));
  await measure("run_list, failed", () => listRuns(db, { state: "failed", limit: 50 }));
  await measure("run_list, crashed (there are none)", () => listRuns(db, { state: "crashed", limit: 50 }));
  await measure("run_list, dead", () => listRuns(db, { dead: true, limit: 50 }));
  await measure("skipped slots", () => listSkippedSlots(db, { limit: 50 }));
  await measure("metrics: a scrape", () => readStoreFigures(store));
  const next = followEndedRuns(db);
  await next();
  await measure("metrics: what has ended since", () => next());
  await measure("metrics: a window of 1h", () => summarizeWindow(db, "1h"), 3);
  await measure("metrics: a window of 7d", () => summarizeWindow(db, "7d"), 3);
  await measure(
    "retention, nothing to delete",
    () => enforceRetention(db, { days: 365, runsPerJob: 1_000_000, now: new Date() }),
    3,
  );
  return figures;
}

/** Claims beside a backlog that is due: of many jobs, of one, and of one that may not start more. */
async function measureBacklog(store: Store, backlog: number): Promise<Figures> {
  const { db } = store;
  const figures: Figures = new Map();
  const cases = [
    { name: "claim and settle, backlog of many jobs", job: sql`n % 1000`, concurrency: 1 },
    { name: "claim and settle, backlog of one job", job: sql`0`, concurrency: null },
    { name: "claim and settle, backlog of one job, one at a time", job: sql`0`, concurrency: 1 },
  ];
  for (const { name, job, concurrency } of cases) {
    await sql`insert into runs (job, trigger, state, run_at, concurrency, trace_id, requested_by)
      select 'job-' || lpad((${job})::text, 5, '0'), 'host', 'queued', now() - interval '1 hour', ${concurrency}::integer, 'b', 'b'
      from generate_series(1, ${backlog}::integer) as n`.execute(db);
    figures.set(name, await median(() => claimAndSettle({ db })));
    // One more run of the job holds its place, so that nothing can start: every claim looks in vain.
    if (concurrency !== null) {
      await sql`update runs set state = 'running', lease_owner = 'other', heartbeat_at = now(), lease = 1
        where id in (select distinct on (job) id from runs where state = 'queued')`.execute(db);
      figures.set(
        name.replace("claim and settle", "claim in vain"),
        await median(() => claim(db, { worker: "bench", limit: 1 })),
      );
    }
    await sql`delete from runs where finished_at is null`.execute(db);
    await sql`vacuum analyze runs`.execute(db);
  }
  return figures;
}

/** One table: each cost at every size, and the last as a multiple of the first. */
function report(title: string, columns: readonly (readonly [string, Figures])[]): void {
  const ms = (value: number | undefined) =>
    (value === undefined ? "-" : `${value.toFixed(value < 10 ? 2 : 0)} ms`).padStart(10);
  process.stdout.write(`\n${title.padEnd(54)}${columns.map(([name]) => name.padStart(11)).join("")}      ratio\n`);
  for (const name of columns[0]?.[1].keys() ?? []) {
    const values = columns.map(([, figures]) => figures.get(name));
    const ratio = (values.at(-1) ?? Number.NaN) / (values[0] ?? Number.NaN);
    process.stdout.write(`${name.padEnd(54)} ${values.map(ms).join(" ")} ${ratio.toFixed(1).padStart(10)}\n`);
  }
}

try {
  const byJobs: [string, Figures][] = [];
  for (const jobs of [10, 1_000, mostJobs]) {
    await using store = await freshStore();
    await using place = await seedHome();
    await seedJobs(store.db, place.key, jobs);
    byJobs.push([`${jobs} jobs`, await measureEverything(store, place)]);
  }
  report(`Jobs with schedules (${embedded ? "PGlite" : "PostgreSQL"})`, byJobs);

  await using store = await freshStore();
  // Of its own, since a machine remembers the chain of decisions that it has seen.
  await using place = await seedHome();
  await seedJobs(store.db, place.key, 1_000);
  const backlogs: [string, Figures][] = [];
  for (const backlog of [10, 1_000, 10_000]) backlogs.push([`${backlog} queued`, await measureBacklog(store, backlog)]);
  report("Backlog", backlogs);

  const byHistory: [string, Figures][] = [["no history", await measureEverything(store, place)]];
  await seedHistory(store.db, 1_000, history);
  byHistory.push([`${history} runs`, await measureEverything(store, place)]);
  report("History", byHistory);
  const from = performance.now();
  const { runs } = await enforceRetention(store.db, { days: 60, runsPerJob: 700, now: new Date() });
  process.stdout.write(
    `retention: ${runs} runs deleted, ${Math.round(runs / ((performance.now() - from) / 1_000))} per second\n`,
  );
} finally {
  cluster?.stop();
}
