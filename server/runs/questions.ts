import type { AskedQuestion, QuestionKey } from "../effects/services.ts";
import { UserError } from "../errors.ts";
import type { Db, Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import { raiseAlert, resolveAlert } from "./alerts.ts";
import { questionAlertKey } from "./failure-alert.ts";
import { formatRunId } from "./run-id.ts";
import { parseNotice, runsChannel } from "./run-notices.ts";
import { createWake } from "./wake.ts";

/** Puts a job's question to the person: a row and an alert, in the given transaction. */
export async function openQuestion(db: Db, asked: AskedQuestion): Promise<void> {
  const { runId, attempt, seq, job, schema, choices, fallback, askedAt, deadline } = asked;
  const question = storableText(asked.question);
  await db
    .insertInto("questions")
    .values({
      run_id: runId,
      attempt,
      seq,
      kind: "ask",
      question,
      schema: JSON.stringify(schema),
      choices: choices === null ? null : JSON.stringify(choices),
      fallback: fallback === undefined ? null : JSON.stringify(fallback),
      asked_at: askedAt,
      deadline,
    })
    .execute();
  await raiseAlert(db, {
    key: questionAlertKey(runId),
    message: `${formatRunId(runId)} of ${job} asks: ${question}`,
    runId,
  });
}

/** Questions of a run that nobody has answered, the oldest first. */
export function openQuestions(db: Db, runId: number): Promise<Row<"questions">[]> {
  return db
    .selectFrom("questions")
    .innerJoin("runs", (join) =>
      join.onRef("runs.id", "=", "questions.run_id").onRef("runs.attempt", "=", "questions.attempt"),
    )
    .selectAll("questions")
    .where("run_id", "=", runId)
    .where("runs.finished_at", "is", null)
    .where("answered_at", "is", null)
    .orderBy("seq")
    .execute();
}

/** A repeated effect that is cut off once more is asked about once more. */
export async function forgetDecision(db: Db, { runId, attempt, seq }: QuestionKey): Promise<void> {
  await db
    .deleteFrom("questions")
    .where("run_id", "=", runId)
    .where("attempt", "=", attempt)
    .where("seq", "=", seq)
    .where("kind", "=", "uncertain")
    .execute();
}

/** A notification can be lost, so the question is looked at this often in any case. */
const lookMs = 1_000;

/** Waits for the answer to a job's question. Throws `ask_timeout` once its deadline has passed without answer and fallback. */
export async function awaitAnswer(
  { store, clock }: Readonly<{ store: Store; clock: () => Date }>,
  key: QuestionKey,
  signal: AbortSignal,
): Promise<unknown> {
  const wake = createWake();
  signal.addEventListener("abort", wake.ring);
  const unlisten = await store.listen(runsChannel, (payload) => {
    const notice = parseNotice(payload);
    if (notice?.kind === "answered" && notice.runId === key.runId) wake.ring();
  });
  try {
    for (;;) {
      signal.throwIfAborted();
      const question = await requireQuestion(store.db, key);
      if (question.answered_at !== null) return answerOf(question);
      const leftMs = question.deadline === null ? lookMs : question.deadline.getTime() - clock().getTime();
      if (leftMs <= 0) await closeUnanswered(store.db, question, clock());
      else await wake.wait(Math.min(leftMs, lookMs));
    }
  } finally {
    signal.removeEventListener("abort", wake.ring);
    await unlisten();
  }
}

function requireQuestion(db: Db, { runId, attempt, seq }: QuestionKey): Promise<Row<"questions">> {
  return db
    .selectFrom("questions")
    .selectAll()
    .where("run_id", "=", runId)
    .where("attempt", "=", attempt)
    .where("seq", "=", seq)
    .where("kind", "=", "ask")
    .executeTakeFirstOrThrow();
}

function answerOf({ answer, question }: Row<"questions">): unknown {
  if (answer !== null) return JSON.parse(answer);
  throw new UserError("ask_timeout", `Nobody answered "${question.slice(0, 100)}" before its timeout.`);
}

/** The fallback counts from now on, unless somebody was quicker. */
async function closeUnanswered(db: Db, { run_id, attempt, seq, fallback }: Row<"questions">, at: Date): Promise<void> {
  await db
    .updateTable("questions")
    .set({ answer: fallback, answered_at: at, answered_by: "deadline" })
    .where("run_id", "=", run_id)
    .where("attempt", "=", attempt)
    .where("seq", "=", seq)
    .where("kind", "=", "ask")
    .where("answered_at", "is", null)
    .execute();
  await closeAlert(db, run_id);
}

/** Resolves the alert of a run that asks nothing any more. */
export async function closeAlert(db: Db, runId: number): Promise<void> {
  if ((await openQuestions(db, runId)).length === 0) await resolveAlert(db, { key: questionAlertKey(runId) });
}

export type WaitingQuestion = Row<"questions"> & Readonly<{ job: string }>;

/** Questions that runs wait for a person to answer, the oldest first. */
export function listOpenQuestions(db: Db, { limit }: Readonly<{ limit: number }>): Promise<WaitingQuestion[]> {
  return db
    .selectFrom("questions")
    .innerJoin("runs", (join) =>
      join.onRef("runs.id", "=", "questions.run_id").onRef("runs.attempt", "=", "questions.attempt"),
    )
    .selectAll("questions")
    .select("runs.job")
    .where("runs.finished_at", "is", null)
    .where("answered_at", "is", null)
    .orderBy("asked_at")
    .limit(limit)
    .execute();
}
