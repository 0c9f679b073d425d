import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import type { Actor } from "./actor.ts";
import { changeTasks } from "./change-tasks.ts";
import { createTasks } from "./create-tasks.ts";
import { finishTask } from "./finish-task.ts";
import { reopenTask } from "./reopen-task.ts";
import { sendTaskNotice } from "./task-notices.ts";

const by: Actor = { actor: "daemon", traceId: null };

/** The alert that all failures of a job share, with the task that was made of it. */
type Found = Pick<Row<"alerts">, "key" | "message" | "count" | "run_id" | "first_at" | "last_at"> &
  Readonly<{ task_id: number | null; ended: boolean }>;

/** What a person or an agent called off is not asked for again while the same failure lasts. */
const again = sql<boolean>`(case t.state when 'cancelled' then a.first_at else a.last_at end > t.finished_at)`;

/**
 * Brings tasks in line with the failures of jobs: one for each job that fails, which tells of the latest run, is closed when the alert
 * is over, and opened again where it fails once more. It goes by what stands in the database alone, so it may be called at any time, by
 * any number of daemons, and again after a crash. `clean` takes secrets out of foreign text. Returns how many tasks it touched.
 */
export async function fileAlerts(db: Db, { clean }: Readonly<{ clean: (text: string) => string }>): Promise<number> {
  if ((await toFile(db)).length === 0 && (await toClose(db)).length === 0) return 0;
  return changeTasks(db, async (trx) => {
    const failing = await toFile(trx);
    for (const alert of failing) await fileOne(trx, alert, clean);
    const over = await toClose(trx);
    for (const { id, at } of over) {
      const result = at === null ? "Over." : `Over since ${at.toISOString()}: it succeeded, or was dealt with.`;
      await finishTask(trx, { id, state: "done", result, by, door: "daemon" });
    }
    return failing.length + over.length;
  });
}

async function toFile(db: Db): Promise<Found[]> {
  const { rows } = await sql<Found>`
    select a.key, a.message, a.count, a.run_id, a.first_at, a.last_at, t.id as task_id, t.finished_at is not null as ended
    from alerts a left join tasks t on t.source = 'alert:' || a.key
    where a.resolved_at is null and a.key like 'job:%:failed' and a.run_id is not null
      and (t.id is null or (t.finished_at is null and t.run_id is distinct from a.run_id) or ${again})
    order by a.key limit 500`.execute(db);
  return rows;
}

async function toClose(db: Db): Promise<{ id: number; at: Date | null }[]> {
  const { rows } = await sql<{ id: number; at: Date | null }>`
    select t.id, a.resolved_at as at from tasks t left join alerts a on t.source = 'alert:' || a.key
    where t.state in ('open', 'in_progress') and t.source like 'alert:%' and (a.key is null or a.resolved_at is not null)
    order by t.id limit 500`.execute(db);
  return rows;
}

async function fileOne(trx: Db, alert: Found, clean: (text: string) => string): Promise<void> {
  const job = alert.key.slice("job:".length, -":failed".length);
  const body = bodyOf(job, alert, clean);
  if (alert.task_id === null) {
    const title = `Job ${job} fails`;
    const labels = ["alert", `job:${job}`];
    const source = `alert:${alert.key}`;
    await createTasks(trx, { tasks: [{ title, body, urgency: "high", labels, source, runId: alert.run_id }], by });
    return;
  }
  if (alert.ended) {
    await reopenTask(trx, { id: alert.task_id, reason: `it fails again: R${alert.run_id}`, by, door: "daemon" });
  }
  // Without a line in the history: a job may fail every minute, and the runs are on record.
  await trx
    .updateTable("tasks")
    .set({ body, run_id: alert.run_id, updated_at: sql<Date>`now()` })
    .where("id", "=", alert.task_id)
    .execute();
  await sendTaskNotice(trx, { kind: "changed" });
}

function bodyOf(job: string, { message, count, run_id, first_at }: Found, clean: (text: string) => string): string {
  const run = `"run": "R${run_id}"`;
  return [
    `${count === 1 ? "A failure" : `${count} failures`} since ${first_at.toISOString()}; the latest:`,
    "",
    clean(message)
      .split("\n")
      .map((line) => `> ${line}`)
      .join("\n"),
    "",
    `- the error: run_read {${run}}; its log: run_read {${run}, "part": "log"}`,
    `- the journal, each effect with its result: run_read {${run}, "part": "effects"}`,
    `- the source: job_read {"name": "${job}", "part": "source"}; a change: job_rehearse, then job_submit, which the person approves`,
    `- once the cause is gone: run_control {${run}, "action": "redrive"}`,
    "",
    "This task closes itself when the job succeeds, or when its failures are redriven or dismissed.",
  ].join("\n");
}
