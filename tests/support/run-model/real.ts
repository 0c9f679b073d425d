import { sql } from "kysely";
import { expect } from "vitest";
import { openQuestion } from "../../../server/runs/questions.ts";
import type { Row } from "../../../server/store/tables.ts";
import type { ClockedStore } from "../database-clock.ts";
import { isEnd, type Lease, type Model, type ModelRun } from "./model.ts";

export type Real = ClockedStore & Readonly<{ ended: Map<number, string> }>;

/** Every row that a settlement could touch, as text. */
export async function everything({ store: { db } }: Real): Promise<string> {
  const runs = await db.selectFrom("runs").selectAll().orderBy("id").execute();
  const attempts = await db.selectFrom("attempts").selectAll().orderBy("run_id").orderBy("attempt").execute();
  const alerts = await db.selectFrom("alerts").selectAll().orderBy("key").execute();
  return JSON.stringify([runs, attempts, alerts]);
}

/** Compares all that the model knows, and what holds of any run. */
export async function compare(model: Model, real: Real): Promise<void> {
  const { db } = real.store;
  const rows = await db.selectFrom("runs").selectAll().orderBy("id").execute();
  const attempts = await db.selectFrom("attempts").selectAll().execute();
  expect(rows.map(shown)).toEqual([...model.runs.values()].sort((a, b) => a.id - b.id).map(expected));
  for (const row of rows) {
    const run = model.runs.get(row.id);
    const own = attempts.filter((attempt) => attempt.run_id === row.id);
    expect(own.every(({ attempt }) => attempt <= row.attempt)).toBe(true);
    if (isEnd(row.state)) {
      expect(own.filter(({ ended_at }) => ended_at === null)).toEqual([]);
      const last = own.find(({ attempt }) => attempt === row.attempt);
      // One that was cancelled before its retry has an attempt that failed.
      if (last !== undefined && run?.begun && row.state !== "cancelled") expect(last.state).toBe(row.state);
      // One final outcome: whatever happens afterwards, this row stays as it is.
      const { dead, ...outcome } = row;
      const text = JSON.stringify(outcome);
      expect(real.ended.get(row.id) ?? text).toBe(text);
      real.ended.set(row.id, text);
    }
  }
}

function shown(row: Row<"runs">) {
  const { id, job, state, attempt, lease, resumes, run_at, lease_owner, cancel_requested_at, finished_at } = row;
  return {
    ...{ id, job, state, attempt, lease },
    resumes: state === "queued" || state === "suspended" ? resumes : null,
    runAt: state === "queued" || state === "suspended" ? run_at.getTime() : null,
    owner: lease_owner,
    heartbeatAt: state === "running" ? row.heartbeat_at?.getTime() : null,
    lost: isEnd(state) ? null : row.lost,
    cancelRequested: cancel_requested_at !== null,
    endedAt: finished_at?.getTime() ?? null,
  };
}

function expected(run: ModelRun): ReturnType<typeof shown> {
  const { id, job, state, attempt, lease, resumes, runAt, owner, heartbeatAt, cancelRequested, endedAt } = run;
  const waits = state === "queued" || state === "suspended";
  return {
    ...{ id, job, state, attempt, lease, owner, cancelRequested, endedAt },
    resumes: waits ? resumes : null,
    runAt: waits ? runAt : null,
    heartbeatAt: state === "running" ? heartbeatAt : null,
    lost: isEnd(state) ? null : run.lost,
  };
}

/** The run's job asks a person something: its effect is in flight, and the question open. */
export async function ask({ store: { db } }: Real, { runId, attempt }: Lease, job: string, at: Date): Promise<void> {
  await addIntent({ runId, attempt, op: "ask", at }, db);
  const schema = { type: "string", enum: ["repeat", "skip", "fail"] };
  const asked = { runId, attempt, seq: 1, job, question: "which?", schema, choices: schema.enum };
  await openQuestion(db, { ...asked, fallback: undefined, askedAt: at, deadline: null });
}

/** It is asked whether to repeat an effect that was cut off. */
export async function askUncertain(real: Real, lease: Lease, job: string, at: Date): Promise<void> {
  await ask(real, lease, job, at);
  await real.store.db
    .updateTable("questions")
    .set({ kind: "uncertain" })
    .where("run_id", "=", lease.runId)
    .where("attempt", "=", lease.attempt)
    .execute();
}

/** The answer has reached the job, and its effect is done. */
export async function takeUpAnswer(
  { store: { db } }: Real,
  { runId, attempt }: Pick<Lease, "runId" | "attempt">,
): Promise<void> {
  for (const table of ["journal", "questions"] as const) {
    await db.deleteFrom(table).where("run_id", "=", runId).where("attempt", "=", attempt).execute();
  }
}

async function addIntent(
  { runId, attempt, op, at }: Readonly<{ runId: number; attempt: number; op: string; at: Date }>,
  db: Real["store"]["db"],
): Promise<void> {
  const none = { args_hash: null, outcome: null, result: null, result_hash: null, delivered: null, guest_ms: null };
  const row = { run_id: runId, attempt, seq: 1, op, args: "{}", safe: false, state: "intent", ...none } as const;
  await db
    .insertInto("journal")
    .values({ ...row, progress: null, started_at: at, ended_at: null })
    .execute();
}

/** Forgets every run and job. */
export async function empty({ store: { db } }: ClockedStore): Promise<void> {
  await sql`truncate jobs, versions, runs, attempts, journal, questions, alerts, events restart identity cascade`.execute(
    db,
  );
}
