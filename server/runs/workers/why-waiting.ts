import type { Db, Store } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { readRunError } from "../run-error.ts";
import { needText, sameNeed } from "./needs.ts";
import { listWorkers, type WorkerView } from "./read-workers.ts";

type Lacking = Pick<WorkerView, "host" | "problem" | "unserved">;

/** Most workers that one text names. */
const named = 5;

/** What keeps each of these workers from a job's runs, in one text; undefined where one of them serves it. */
export function whoLacksWhat(workers: readonly Lacking[], job: string): string | undefined {
  if (workers.length === 0) return "no worker is there";
  const able = workers.filter(({ problem }) => problem === null);
  if (able.some(({ unserved }) => unserved[job] === undefined)) return undefined;
  const [first, ...others] = able;
  const shared = (first?.unserved[job] ?? []).filter((need) =>
    others.every(({ unserved }) => unserved[job]?.some((other) => sameNeed(other, need))),
  );
  const idle = workers.filter(({ problem }) => problem !== null).map(({ host, problem }) => `${host}: ${problem}`);
  if (shared.length > 0) {
    const everybody = idle.length === 0 ? "no worker" : "no worker that takes runs";
    return [`${everybody} ${shared.map((need) => needText(need, "")).join(", or ")}`, ...idle.slice(0, named)].join(
      "; ",
    );
  }
  const each = able.map(
    ({ host, unserved }) => `${host} ${(unserved[job] ?? []).map((need) => needText(need)).join(", ")}`,
  );
  return [...each, ...idle].slice(0, named).join("; ");
}

/** Workers that take runs now, or would if they could. */
export async function workersAtWork(store: Pick<Store, "db" | "kind">): Promise<WorkerView[]> {
  return (await listWorkers(store)).filter(({ alive, state }) => alive && state === "active");
}

/** Why a run that is due does not start: who lacks what; undefined where a worker will take it, or it is not due. */
export async function whyWaiting(
  store: Pick<Store, "db" | "kind">,
  run: Pick<Row<"runs">, "id" | "job" | "state" | "error">,
): Promise<string | undefined> {
  if ((run.state !== "queued" && run.state !== "suspended") || !(await isDue(store.db, run.id))) return undefined;
  const error = readRunError(run.error);
  return (
    whoLacksWhat(await workersAtWork(store), run.job) ?? (error?.reason === "unserved" ? error.message : undefined)
  );
}

async function isDue(db: Db, runId: number): Promise<boolean> {
  const row = await db
    .selectFrom("runs")
    .innerJoin("jobs", "jobs.name", "runs.job")
    .select("runs.id")
    .where("runs.id", "=", runId)
    .where("jobs.state", "=", "active")
    .where((eb) => eb("runs.run_at", "<=", eb.fn<Date>("now")))
    .executeTakeFirst();
  return row !== undefined;
}
