import { sql } from "kysely";
import { UserError } from "../errors.ts";
import { dismissAlerts } from "../runs/alerts.ts";
import { recordEvent } from "../runs/events.ts";
import { inTransaction } from "../store/in-transaction.ts";
import { type Db, notify } from "../store/open-store.ts";
import type { PausedBy, Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";

export type Change = Readonly<{
  job: string;
  by: PausedBy;
  /** `person`, `daemon`, or the host's name and version. */
  actor: string;
  traceId?: string | null | undefined;
}>;

/**
 * Stops a job's schedule; a run that goes on goes on. A person's pause takes the place of any other, and nothing weaker takes the
 * place of a person's. Throws `job_not_found`, `job_retired`.
 */
export async function pauseJob(
  db: Db,
  { job, by, reason, actor, traceId }: Change & { reason: string | null },
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const row = await requireLiveJob(trx, job);
    if (row.state === "paused" && (row.paused_by === by || row.paused_by === "person" || by === "agent")) return;
    await trx
      .updateTable("jobs")
      .set({
        state: "paused",
        paused_by: by,
        paused_reason: reason === null ? null : storableText(reason),
        paused_at: sql<Date>`now()`,
        updated_at: sql<Date>`now()`,
      })
      .where("name", "=", job)
      .execute();
    await recordEvent(trx, { kind: "job.paused", actor, subject: job, detail: { by, reason }, traceId });
    await notify(trx, "jobs", job);
  });
}

/**
 * Lifts a pause that `by` may lift: an agent lifts only an agent's, the folder only that of a deleted file. A person's pause needs a
 * signed decision, which calls `applyResume`. Throws `job_not_found`, `job_retired`, `job_paused`.
 */
export async function resumeJob(db: Db, { job, by, actor, traceId }: Change): Promise<void> {
  await inTransaction(db, async (trx) => {
    const row = await requireLiveJob(trx, job);
    if (row.state !== "paused") return;
    if (row.paused_by !== by || by === "person") throw stillPaused(row);
    await lift(trx, job, actor, traceId);
  });
}

/** Lifts any pause, on a signed decision of the person. Call it in the decision's transaction. Throws `job_not_found`, `job_retired`. */
export async function applyResume(trx: Db, { job, by }: { job: string; by: string }): Promise<void> {
  const row = await requireLiveJob(trx, job);
  if (row.state === "paused") await lift(trx, job, by, null);
}

/** Ends a job for good; its versions and runs stay readable. Throws `job_not_found`. */
export async function retireJob(db: Db, { job, actor, traceId }: Change): Promise<void> {
  await inTransaction(db, async (trx) => {
    const row = await lockJob(trx, job);
    if (row.state === "retired") return;
    await trx
      .updateTable("jobs")
      .set({ state: "retired", paused_by: null, paused_reason: null, paused_at: null, updated_at: sql<Date>`now()` })
      .where("name", "=", job)
      .execute();
    await trx
      .updateTable("versions")
      .set({ state: "superseded" })
      .where("job", "=", job)
      .where("state", "=", "pending")
      .execute();
    // Nothing of it can run again, so nobody is asked to look after it.
    await dismissAlerts(trx, { job });
    await trx.updateTable("runs").set({ dead: false }).where("job", "=", job).where("dead", "=", true).execute();
    await recordEvent(trx, { kind: "job.retired", actor, subject: job, traceId });
    await notify(trx, "jobs", job);
  });
}

async function lift(trx: Db, job: string, actor: string, traceId: string | null | undefined): Promise<void> {
  await trx
    .updateTable("jobs")
    .set({ state: "active", paused_by: null, paused_reason: null, paused_at: null, updated_at: sql<Date>`now()` })
    .where("name", "=", job)
    .execute();
  await recordEvent(trx, { kind: "job.resumed", actor, subject: job, traceId });
  await notify(trx, "jobs", job);
}

function stillPaused({ name, paused_by, path }: Row<"jobs">): UserError {
  switch (paused_by) {
    case "file_deleted":
      return new UserError("job_paused", `"${name}" is paused because its file was deleted.`, {
        next: path === null ? "put the file back, or job_submit it again" : `the person lifts it: jr resume ${name}`,
      });
    case "agent":
      return new UserError("job_paused", `"${name}" was paused by an agent.`, {
        next: `job_control {"name": "${name}", "action": "resume"}`,
      });
    case "person":
    case null:
      return new UserError("job_paused", `"${name}" was paused by the person, who alone can lift that.`, {
        next: `the person lifts it: jr resume ${name}`,
      });
    default:
      return paused_by satisfies never;
  }
}

async function requireLiveJob(trx: Db, job: string): Promise<Row<"jobs">> {
  const row = await lockJob(trx, job);
  if (row.state === "retired")
    throw new UserError("job_retired", `The job "${job}" was retired.`, { next: "job_list" });
  return row;
}

async function lockJob(trx: Db, job: string): Promise<Row<"jobs">> {
  const row = await trx.selectFrom("jobs").selectAll().where("name", "=", job).forUpdate().executeTakeFirst();
  if (row === undefined) throw new UserError("job_not_found", `There is no job "${job}".`, { next: "job_list" });
  return row;
}
