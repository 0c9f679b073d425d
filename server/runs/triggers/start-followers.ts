import type { Db } from "../../store/open-store.ts";
import type { Row, RunState } from "../../store/tables.ts";
import { raiseAlert } from "../alerts.ts";
import { recordEvent } from "../events.ts";
import { enqueue } from "../queue/enqueue.ts";
import { readRunError } from "../run-error.ts";
import { formatRunId } from "../run-id.ts";
import { isFailure } from "../run-states.ts";
import { longestLine, readLineage } from "./lineage.ts";
import { formatRunEvent } from "./run-event.ts";

/** Longest output that is handed on, in characters of JSON. */
const longestOutput = 256 * 1024;

type Ended = Pick<Row<"runs">, "id" | "job" | "state" | "output" | "error" | "trace_id">;
type Edge = Row<"after_triggers"> & Pick<Row<"jobs">, "paused_by"> & { job_state: Row<"jobs">["state"] };

/**
 * Starts the jobs that run after a run that has ended, each once, in the transaction that ends it. What is paused, and what would
 * close a circle, is not started; the job's events tell of it.
 */
export async function startFollowers(trx: Db, run: Ended, now?: Date): Promise<void> {
  const edges = await findEdges(trx, run);
  if (edges.length === 0) return;
  const line = await readLineage(trx, run.id);
  for (const edge of edges) {
    if (edge.job_state === "paused") {
      await tellSkipped(trx, edge, run, `the job was paused (${edge.paused_by ?? "unknown"})`);
      continue;
    }
    const forebear = line.find(({ job }) => job === edge.job);
    if (forebear !== undefined || line.length > longestLine) {
      const why =
        forebear === undefined
          ? `more than ${longestLine} runs have started one another`
          : `its own ${formatRunId(forebear.id)} led here, and so it would go round for ever`;
      await tellSkipped(trx, edge, run, why);
      const message = `${edge.job} was not started after ${formatRunId(run.id)} of ${run.job}: ${why}`;
      await raiseAlert(trx, { key: `job:${edge.job}:circle`, message, runId: run.id, now });
      continue;
    }
    await enqueue(trx, {
      job: edge.job,
      trigger: "after",
      dedupeKey: `after:${run.id}`,
      priority: edge.priority,
      concurrency: edge.concurrency,
      parentRun: run.id,
      event: formatRunEvent(eventOf(run)),
      requestedBy: `job ${run.job} ${formatRunId(run.id)}`,
      traceId: run.trace_id,
      now,
    });
  }
}

async function findEdges(trx: Db, { job, state }: Ended): Promise<Edge[]> {
  const edges = await trx
    .selectFrom("after_triggers")
    .innerJoin("jobs", "jobs.name", "after_triggers.job")
    .selectAll("after_triggers")
    .select(["jobs.state as job_state", "jobs.paused_by"])
    .where("source", "=", job)
    .where("jobs.state", "!=", "retired")
    .orderBy("after_triggers.job")
    .execute();
  return edges.filter(({ ends }) => fits(ends, state));
}

function fits(ends: Edge["ends"], state: RunState): boolean {
  switch (ends) {
    case "success":
      return state === "succeeded";
    case "failure":
      return isFailure(state);
    case "end":
      return true;
    default:
      return ends satisfies never;
  }
}

function eventOf({ id, job, state, output, error }: Ended) {
  const outputLeftOut = output !== null && output.length > longestOutput;
  const why = readRunError(error);
  return {
    kind: "after",
    job,
    run: formatRunId(id),
    state,
    output: output === null || outputLeftOut ? null : JSON.parse(output),
    outputLeftOut,
    error: why === null ? null : { reason: why.reason, message: why.message },
  } as const;
}

function tellSkipped(trx: Db, { job }: Edge, run: Ended, why: string): Promise<void> {
  return recordEvent(trx, {
    kind: "trigger.skipped",
    actor: `job ${run.job} ${formatRunId(run.id)}`,
    subject: job,
    detail: { trigger: "after", run: formatRunId(run.id), state: run.state, why },
    traceId: run.trace_id,
  });
}
