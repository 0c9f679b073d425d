import type { Db, Store } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { openQuestions } from "../questions.ts";
import { readRunError } from "../run-error.ts";
import { formatRunId } from "../run-id.ts";
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

/** Whose answer a run waits for, or why one that is due does not start; undefined where a worker is about to take it, or it is not due. */
export async function whyWaiting(
  store: Pick<Store, "db" | "kind">,
  run: Pick<Row<"runs">, "id" | "job" | "state" | "error" | "concurrency">,
): Promise<string | undefined> {
  const [asked] = await openQuestions(store.db, run.id);
  if (asked !== undefined) return `an answer of the person to: ${asked.question} (jr answer ${formatRunId(run.id)})`;
  if (run.state !== "queued" && run.state !== "suspended") return undefined;
  const due = await findDue(store.db, run.id);
  if (due === undefined || due.state === "retired") return undefined;
  if (due.state === "paused") return `its job ${run.job} is paused`;
  const workers = await workersAtWork(store);
  const lacking = whoLacksWhat(workers, run.job);
  if (lacking !== undefined) return lacking;
  const error = readRunError(run.error);
  if (error?.reason === "unserved") return error.message;
  const others = run.state === "suspended" || run.concurrency === null ? [] : await liveRuns(store.db, run.job);
  if (run.concurrency !== null && others.length >= run.concurrency)
    return `${others.slice(0, named).map(formatRunId).join(", ")} of the same job must end first`;
  const able = workers.filter(({ problem, unserved }) => problem === null && unserved[run.job] === undefined);
  if (able.every(({ running, max }) => running >= max)) {
    const places = able.reduce((sum, { max }) => sum + max, 0);
    return `all ${places} places of ${able.length === 1 ? "the worker" : `the ${able.length} workers`} that can take it are busy`;
  }
  return undefined;
}

function findDue(db: Db, runId: number): Promise<{ state: Row<"jobs">["state"] } | undefined> {
  return db
    .selectFrom("runs")
    .innerJoin("jobs", "jobs.name", "runs.job")
    .select("jobs.state")
    .where("runs.id", "=", runId)
    .where((eb) => eb("runs.run_at", "<=", eb.fn<Date>("now")))
    .executeTakeFirst();
}

/** Runs that take the places of a job. */
async function liveRuns(db: Db, job: string): Promise<number[]> {
  const rows = await db
    .selectFrom("runs")
    .select("id")
    .where("job", "=", job)
    .where("state", "in", ["running", "suspended"])
    .orderBy("id")
    .limit(100)
    .execute();
  return rows.map(({ id }) => id);
}
