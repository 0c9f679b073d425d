import { UserError } from "../errors.ts";
import type { Row } from "../store/tables.ts";
import { type ControlDeps, prepareRun, type RunOrder } from "./control.ts";
import { type DeadFilter, findDeadRuns, notDead } from "./dead-letters.ts";
import { recordEvent } from "./events.ts";
import { enqueue } from "./queue/enqueue.ts";
import { requireRun } from "./read.ts";
import { formatRunId, parseRunId } from "./run-id.ts";
import { isFailure } from "./run-states.ts";
import { formatRunEvent, readRunEvent } from "./triggers/run-event.ts";

type By = Pick<RunOrder, "requestedBy" | "traceId"> & Readonly<{ trigger: "person" | "host" | "agent" }>;

export type Redriven = Readonly<{
  /** The run that failed. */
  from: Row<"runs">;
  /** The run that it became, now or before; only its id is certain, since retention may have deleted it. */
  as: number;
  created: boolean;
}>;

/**
 * Asks once more for what a failed run was asked for: same input, same slot, the version that is active now. Each run is redriven
 * once; a second time tells which run it became. One that was dismissed can be redriven, too.
 * Throws run_not_found, run_not_dead, and what `requestRun` throws.
 */
export async function redriveRun(deps: ControlDeps, run: string | number, by: By): Promise<Redriven> {
  const { db } = deps.store;
  const from = await requireRun(db, run);
  if (!isFailure(from.state)) throw notDead(from);
  if (from.redriven_as !== null) return { from, as: from.redriven_as, created: false };
  // Verified before the transaction: approvals read with a connection of their own.
  const order = await prepareRun(deps, { ...by, job: from.job, input: readInput(from) });
  return db.transaction().execute(async (trx) => {
    const held = await trx.selectFrom("runs").selectAll().where("id", "=", from.id).forUpdate().executeTakeFirst();
    if (held === undefined) throw new UserError("run_not_found", `There is no run ${formatRunId(from.id)} any more.`);
    if (held.redriven_as !== null) return { from: held, as: held.redriven_as, created: false };
    // The slot as a note of what it is for: the schedule's own slot has had its run.
    const event = await readRunEvent(trx, from);
    const { run: made } = await enqueue(trx, {
      ...order,
      slot: from.slot ?? undefined,
      redriveOf: from.id,
      event: event === null ? undefined : formatRunEvent(event),
    });
    await trx.updateTable("runs").set({ dead: false, redriven_as: made.id }).where("id", "=", from.id).execute();
    await recordEvent(trx, {
      kind: "run.redriven",
      actor: by.requestedBy,
      subject: `run:${formatRunId(from.id)}`,
      detail: { as: formatRunId(made.id) },
      traceId: by.traceId,
    });
    deps.log.info({ run: made.id, job: made.job, redrive_of: from.id, trace: by.traceId }, "run requested");
    return { from: held, as: made.id, created: true };
  });
}

/** Most dead letters that one request redrives. */
const mostAtOnce = 1_000;

export type RedrivenRuns = Readonly<{
  redriven: readonly Redriven[];
  /** What cannot be asked for again, such as an input that the active version refuses. */
  refused: readonly Readonly<{ run: string; error: UserError }>[];
}>;

/** Redrives each run that can be; what concerns one of them does not keep the others. */
export async function redriveRuns(
  deps: ControlDeps,
  runs: readonly (string | number)[],
  by: By,
): Promise<RedrivenRuns> {
  const redriven: Redriven[] = [];
  const refused: { run: string; error: UserError }[] = [];
  for (const run of runs) {
    try {
      redriven.push(await redriveRun(deps, run, by));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refused.push({ run: formatRunId(parseRunId(run)), error });
    }
  }
  return { redriven, refused };
}

/**
 * Redrives dead letters of a job, the oldest first, at most 1,000. Throws job_not_found, and what `requestRun` throws of a job that cannot
 * run now (paused, retired, not approved).
 */
export async function redriveJob(
  deps: ControlDeps,
  filter: DeadFilter & Readonly<{ job: string }>,
  by: By,
): Promise<RedrivenRuns> {
  const { db } = deps.store;
  const job = await db.selectFrom("jobs").select("name").where("name", "=", filter.job).executeTakeFirst();
  if (job === undefined) throw new UserError("job_not_found", `There is no job "${filter.job}".`, { next: "job_list" });
  const [first, ...rest] = await findDeadRuns(db, filter, mostAtOnce);
  if (first === undefined) return { redriven: [], refused: [] };
  const begun = await redriveRuns(deps, [first], by);
  const [failed] = begun.refused;
  if (failed !== undefined && failed.error.code !== "input_invalid") throw failed.error;
  const others = await redriveRuns(deps, rest, by);
  return { redriven: [...begun.redriven, ...others.redriven], refused: [...begun.refused, ...others.refused] };
}

function readInput({ input }: Row<"runs">): unknown {
  return input === null ? undefined : JSON.parse(input);
}
