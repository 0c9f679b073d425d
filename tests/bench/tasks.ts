/*
 * Tasks: claims per second with 50 clients, lists of what is ready among 10,000, and what typical answers cost a model. On an embedded
 * store in memory and on a throw-away PostgreSQL.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { homePaths } from "../../server/home.ts";
import { silentLog } from "../../server/log.ts";
import { createApprovals } from "../../server/review/approvals.ts";
import { openStore, type Store } from "../../server/store/open-store.ts";
import { claimTask } from "../../server/tasks/claim-task.ts";
import { createTasks } from "../../server/tasks/create-tasks.ts";
import { finishTask } from "../../server/tasks/finish-task.ts";
import { tools } from "../../tools/table.ts";
import { testToolContext } from "../support/mcp-context.ts";
import { connectTestHost, type TestHost } from "../support/mcp-host.ts";
import { startCluster } from "../support/postgres-cluster.ts";
import { testStore } from "../support/store.ts";
import { percentile, print } from "./figures.ts";
import { printBar } from "./report.ts";

const clients = 50;
const many = 10_000;
/** An estimate: text of this kind has about so many characters per token. */
const charsPerToken = 3.6;
const by = { actor: "bench", traceId: null };

const root = mkdtempSync(join(tmpdir(), "jr-bench-tasks-"));
const home = homePaths({ JOBRUNNER_HOME: root });
const cluster = await startCluster();
try {
  for (const kind of cluster === undefined ? (["pglite"] as const) : (["pglite", "postgres"] as const)) {
    await using store =
      cluster === undefined || kind === "pglite"
        ? await testStore("pglite")
        : await openStore({ dataDir: "", databaseUrl: cluster.url, log: silentLog });
    process.stdout.write(`\n${kind}\n`);
    await bench(store);
  }
} finally {
  cluster?.stop();
  rmSync(root, { recursive: true });
}

async function bench(store: Store): Promise<void> {
  await using approvals = await createApprovals({ store, home, log: silentLog });
  const context = testToolContext({ home, deps: { store, approvals } });
  const hosts = await Promise.all(Array.from({ length: clients }, () => connectTestHost(async () => context)));
  const [first] = hosts;
  if (first === undefined) return;

  // Half of them wait for others, half of these for two.
  const from = performance.now();
  for (let at = 0; at < many; at += 1_000) {
    const tasks = Array.from({ length: 1_000 }, (_, n) => ({
      title: `Task number ${at + n} of a long list`,
      key: `k${n}`,
      body: "Look into it and say what came of it.",
      priority: n % 20,
      labels: [n % 3 === 0 ? "web" : "docs"],
      dependsOn: n % 2 === 0 ? [] : n % 4 === 1 ? [`k${n - 1}`] : [`k${n - 1}`, `k${n - 3}`],
    }));
    await createTasks(store.db, { tasks, by });
  }
  print(`create ${many} tasks, 1,000 at once`, `${((performance.now() - from) / 1_000).toFixed(1)} s`);
  await sql`analyze tasks`.execute(store.db);

  const list = tools.find(({ name }) => name === "task_list");
  const call = {
    ...context,
    client: { name: "bench", version: "1" },
    traceId: "0",
    signal: new AbortController().signal,
  };
  const cases = [
    ["task_list ready, at the daemon", { ready: true }],
    ["task_list ready with a label", { ready: true, label: "web" }],
    ["task_list search", { search: "number 9999" }],
    ["task_list all, 100 of them", { state: "all", limit: 100 }],
  ] as const;
  for (const [what, args] of cases) {
    const ms = await median(async () => list?.call(call, args));
    if (what === cases[0][0]) printBar(`${what}, ${many} tasks, p50`, ms, 30, " ms", "at most");
    else print(`${what}, p50`, `${ms.toFixed(1)} ms`);
  }

  const answers = [
    ["task_list", { ready: true }],
    ["task_read", { task: "T2" }],
    ["task_create", { tasks: [{ title: "a" }, { title: "b" }, { title: "c" }] }],
    ["task_update", { task: "T2", action: "note", text: "half way" }],
    ["task_update", { task: "next", action: "claim" }],
  ] as const;
  for (const [name, args] of answers) {
    const { text } = await first.call(name, args);
    print(`answer of ${name} ${JSON.stringify(args).slice(0, 40)}`, `${Math.ceil(text.length / charsPerToken)} tokens`);
  }

  const claims = 1_000;
  let left = claims;
  const claimOne = async (host: TestHost) => {
    for (; left > 0; ) {
      left -= 1;
      await host.call("task_update", { task: "next", action: "claim" });
    }
  };
  const start = performance.now();
  await Promise.all(hosts.map(claimOne));
  print(
    `${clients} MCP clients claim ${claims} of ${many}`,
    `${Math.round((claims / (performance.now() - start)) * 1_000)} claims/s`,
  );

  const finish = await median(async () => {
    const task = await claimTask(store.db, { by });
    if (task !== undefined) await finishTask(store.db, { id: task.id, state: "done", result: null, by });
  }, 50);
  print("claim and finish one, with what it releases, p50", `${finish.toFixed(1)} ms`);
  await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
}

async function median(work: () => Promise<unknown>, times = 15): Promise<number> {
  const taken: number[] = [];
  for (let round = 0; round < times; round += 1) {
    const from = performance.now();
    await work();
    taken.push(performance.now() - from);
  }
  return percentile(taken, 0.5);
}
