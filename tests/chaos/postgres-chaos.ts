import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import { packageRoot } from "../../server/home.ts";
import { silentLog } from "../../server/log.ts";
import { enqueue } from "../../server/runs/queue/enqueue.ts";
import { isFinal } from "../../server/runs/run-states.ts";
import { openStore, type Store } from "../../server/store/open-store.ts";
import { e2eHome, must } from "../support/e2e-home.ts";
import { type Cluster, startCluster } from "../support/postgres-cluster.ts";
import { webServer } from "../support/web-server.ts";
import { chaosJobs } from "./chaos-jobs.ts";
import { readHolds } from "./lease-history.ts";
import { numbers } from "./random-numbers.ts";
import { type SilentProxy, silentProxy } from "./silent-proxy.ts";
import { type Evidence, problemsOf } from "./what-happened.ts";

export type ChaosOptions = Readonly<{
  runs: number;
  /** Milliseconds between two blows, on average. */
  everyMs: number;
  seed: number;
  say(text: string): void;
}>;

const workers = 4;
const program = join(packageRoot, "server", "jr.mjs");
const runtimeMs = 15 * 60_000;

/**
 * Four workers on one PostgreSQL, three that ask for the same runs, and blows at random until all of them have ended. Gives what went
 * wrong; undefined where this machine has no PostgreSQL to restart.
 */
export async function postgresChaos({ runs, everyMs, seed, say }: ChaosOptions): Promise<string[] | undefined> {
  const random = numbers(seed);
  const cluster = await startCluster();
  if (cluster === undefined) return undefined;
  const root = mkdtempSync(join(tmpdir(), "jobrunner-chaos-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => cluster.stop());
  stack.defer(() => rmSync(root, { recursive: true, force: true }));
  const requests: Evidence["requests"][number][] = [];
  const web = stack.use(
    await webServer(({ url = "", method = "" }, response) => {
      requests.push({ at: Date.now(), path: url.slice(1), method });
      setTimeout(() => response.end("ok"), random() * 20);
    }),
  );
  const url = new URL(cluster.url);
  const proxy = stack.use(await silentProxy(Number(url.port)));
  const keys = await signJobs(cluster, chaosJobs(web.port));
  stack.defer(() => rmSync(keys, { recursive: true, force: true }));

  const through = new URL(url);
  through.port = String(proxy.port);
  const crew = Array.from({ length: workers }, (_, index) => startMember(root, `w${index + 1}`, keys, through.href));
  stack.defer(() => Promise.all(crew.map((member) => member.stop())).then(() => {}));

  const store = stack.use(await openStore({ dataDir: "", databaseUrl: cluster.url, log: silentLog }));
  const over = new AbortController();
  const blows = deliverBlows({ crew, cluster, proxy, random, everyMs, say, signal: over.signal });
  const accepted = await Promise.all([1, 2, 3].map(() => askForAll(store, runs, numbers(seed))));
  say(`all ${runs} runs are accepted`);
  await allEnded(store, runs, say);
  over.abort();
  await blows;
  proxy.resume({ cut: false });
  await Promise.all(crew.map((member) => member.stop()));
  const rows = await patiently(() => store.db.selectFrom("runs").selectAll().execute());
  const attempts = await patiently(() => store.db.selectFrom("attempts").selectAll().execute());
  const journal = await patiently(() => store.db.selectFrom("journal").selectAll().execute());
  const holds = readHolds(crew.map(({ name, logs }) => ({ name, logs })));
  say(
    `${requests.length} requests, ${holds.length} leases, ${rows.filter((run) => run.lease > run.attempt).length} runs went on after a cut`,
  );
  return problemsOf({ rows, attempts, journal, holds, requests, accepted });
}

/** Submits and approves the jobs through a home of their own; gives a folder with what another machine needs to trust them. */
async function signJobs(cluster: Cluster, sources: Record<string, string>): Promise<string> {
  const home = await e2eHome({ databaseUrl: cluster.url });
  await using _ = home;
  home.setUpUnprotected();
  {
    await using host = await home.host();
    for (const [name, source] of Object.entries(sources)) await host.call("job_submit", { name, source });
    for (const name of Object.keys(sources)) must(await home.approve(name));
  }
  const keys = mkdtempSync(join(tmpdir(), "jobrunner-keys-"));
  const from = join(home.root, "home", "keys");
  for (const file of readdirSync(from))
    if (file !== "approver.key") cpSync(join(from, file), join(keys, file), { recursive: true });
  return keys;
}

type Member = Readonly<{
  name: string;
  logs: string;
  child(): ChildProcess;
  start(): void;
  kill(): void;
  /** Lets it end in order. */
  stop(): Promise<void>;
}>;

/** One machine of the crew: a home of its own, the same database. */
function startMember(root: string, name: string, keys: string, databaseUrl: string): Member {
  const home = join(root, name);
  mkdirSync(join(home, "jobs"), { recursive: true });
  cpSync(keys, join(home, "home", "keys"), { recursive: true });
  // Every run is judged in the end, so none may be deleted before.
  writeFileSync(join(home, "home", "config.yaml"), "retention:\n  runsPerJob: 1000000\n", { mode: 0o600 });
  const env = {
    PATH: process.env.PATH ?? "",
    HOME: home,
    JOBRUNNER_HOME: join(home, "home"),
    JOBRUNNER_JOBS: join(home, "jobs"),
    JOBRUNNER_PORT: "0",
    JOBRUNNER_LOG_LEVEL: "debug",
    DATABASE_URL: databaseUrl,
  };
  const start = () => spawn(process.execPath, [program, "daemon"], { env, stdio: "ignore" });
  let child = start();
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    logs: join(home, "home", "logs"),
    child: () => child,
    start() {
      if (ended()) child = start();
    },
    kill: () => void child.kill("SIGKILL"),
    async stop() {
      child.kill("SIGCONT");
      child.kill("SIGTERM");
      for (let waited = 0; !ended() && waited < 30_000; waited += 50) await delay(50);
      child.kill("SIGKILL");
    },
  };
}

type Blows = Readonly<{
  crew: readonly Member[];
  cluster: Cluster;
  proxy: SilentProxy;
  random(): number;
  everyMs: number;
  say(text: string): void;
  signal: AbortSignal;
}>;

/** Hits something at random, again and again; each blow is made good before the next but one. */
async function deliverBlows({ crew, cluster, proxy, random, everyMs, say, signal }: Blows): Promise<void> {
  const pause = (ms: number) => delay(ms, undefined, { signal }).catch(() => {});
  const counts = new Map<string, number>();
  while (!signal.aborted) {
    await pause(everyMs * (0.5 + random()));
    if (signal.aborted) break;
    const member = crew[Math.floor(random() * crew.length)];
    if (member === undefined) throw new Error("nobody is there");
    const dice = random();
    const blow =
      dice < 0.35 ? "kill" : dice < 0.6 ? "stop" : dice < 0.8 ? "terminate" : dice < 0.92 ? "silence" : "restart";
    counts.set(blow, (counts.get(blow) ?? 0) + 1);
    switch (blow) {
      case "kill":
        member.kill();
        await pause(random() * 2_000);
        member.start();
        break;
      case "stop":
        member.child().kill("SIGSTOP");
        await pause(1_000 + random() * 9_000);
        member.child().kill("SIGCONT");
        break;
      case "terminate":
        await terminateSome(cluster.url, random);
        break;
      case "silence":
        proxy.silence();
        await pause(2_000 + random() * 7_000);
        proxy.resume({ cut: random() < 0.5 });
        break;
      default:
        cluster.restart();
    }
    for (const each of crew) each.start();
  }
  say(`blows: ${[...counts].map(([blow, count]) => `${count} ${blow}`).join(", ")}`);
}

async function terminateSome(url: string, random: () => number): Promise<void> {
  const client = new pg.Client(url);
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'jobrunner' and random() < $1",
      [random()],
    );
  } catch {
    // It is down for another reason.
  } finally {
    await client.end().catch(() => {});
  }
}

const mix = ["steps", "steps", "steps", "steps", "steps", "steps", "alone", "failing", "sleeping", "steps"];

/** Asks for every run by its key, as two others do at the same time; gives the run that each key led to. */
async function askForAll(store: Store, runs: number, random: () => number): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (let n = 0; n < runs; n++) {
    const job = mix[n % mix.length] ?? "steps";
    const { run } = await patiently(() =>
      enqueue(store.db, {
        job,
        trigger: "person",
        dedupeKey: `k${n}`,
        concurrency: job === "alone" ? 1 : null,
        requestedBy: "chaos",
        traceId: `k${n}`,
      }),
    );
    found.set(`k${n}`, run.id);
    await delay(random() * 40);
  }
  return found;
}

async function allEnded(store: Store, runs: number, say: (text: string) => void): Promise<void> {
  const giveUp = performance.now() + runtimeMs;
  for (let said = -1; ; await delay(500)) {
    const states = await patiently(() => store.db.selectFrom("runs").select("state").execute());
    const open = states.filter(({ state }) => !isFinal(state)).length;
    if (states.length >= runs && open === 0) return;
    if (Math.floor(open / 100) !== said) say(`${open} runs are open`);
    said = Math.floor(open / 100);
    if (performance.now() > giveUp) return;
  }
}

/** The database may be away for a while. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await delay(100);
    }
  }
}
