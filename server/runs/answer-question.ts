import { z } from "zod";
import { UserError } from "../errors.ts";
import { databaseTime } from "../store/database-time.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { checkInput } from "./check-input.ts";
import { recordEvent } from "./events.ts";
import { closeAlert, openQuestions } from "./questions.ts";
import { settleDecided } from "./queue/settle-decided.ts";
import { requireRun } from "./read.ts";
import { formatRunId } from "./run-id.ts";
import { sendNotice } from "./run-notices.ts";

export type Answer = Readonly<{
  run: string | number;
  /** As the person typed it: a choice, yes or no, text, or JSON. */
  value: string;
  /** The effect that asks; the oldest open question by default. */
  seq?: number | undefined;
  by: string;
}>;

/**
 * Answers an open question of a run, which then goes on (or ends, where the answer to a cut-off effect is `fail`).
 * Throws run_not_found, no_question, and invalid_argument where the value does not fit. Nothing reachable by agents calls this.
 */
export async function answerQuestion({ store }: Readonly<{ store: Store }>, answer: Answer): Promise<Row<"questions">> {
  return inTransaction(store.db, async (trx) => {
    const { id } = await requireRun(trx, answer.run);
    // Locked, so that the answer and the run's own suspension come one after the other.
    const run = await trx.selectFrom("runs").selectAll().where("id", "=", id).forUpdate().executeTakeFirstOrThrow();
    const question = await requireQuestion(await openQuestions(trx, id), run, answer.seq);
    const value = parseAnswer(question, answer.value);
    const now = new Date();
    const answered = await trx
      .updateTable("questions")
      .set({ answer: JSON.stringify(value), answered_at: now, answered_by: answer.by })
      .where("run_id", "=", id)
      .where("attempt", "=", question.attempt)
      .where("seq", "=", question.seq)
      .where("kind", "=", question.kind)
      .returningAll()
      .executeTakeFirstOrThrow();
    await recordEvent(trx, {
      kind: "run.answered",
      actor: answer.by,
      subject: `run:${formatRunId(id)}`,
      detail: { question: question.question, kind: question.kind, seq: question.seq, answer: value },
      traceId: run.trace_id,
    });
    if (question.kind === "ask") {
      await trx
        .updateTable("runs")
        .set({ run_at: databaseTime(undefined) })
        .where("id", "=", id)
        .where("state", "=", "suspended")
        .execute();
    } else if (value === "fail") {
      await settleDecided(trx, run, "failed");
    } else if ((await openQuestions(trx, id)).every(({ kind }) => kind === "ask")) {
      await settleDecided(trx, run, "queued");
    }
    await closeAlert(trx, id);
    await sendNotice(trx, { kind: "answered", runId: id });
    return answered;
  });
}

function requireQuestion(
  open: readonly Row<"questions">[],
  run: Row<"runs">,
  seq: number | undefined,
): Row<"questions"> {
  // What a cut-off effect needs comes first: before that is settled the run does not go on.
  const decisive = open.toSorted((a, b) => Number(a.kind === "ask") - Number(b.kind === "ask") || a.seq - b.seq);
  const question = seq === undefined ? decisive[0] : open.find((each) => each.seq === seq);
  if (question !== undefined) return question;
  const handle = formatRunId(run.id);
  const which = seq === undefined ? "asks nothing" : `has no open question ${seq}`;
  const others =
    open.length === 0 ? `its state is ${run.state}` : `open are ${open.map((each) => each.seq).join(", ")}`;
  throw new UserError("no_question", `${handle} ${which}; ${others}.`, { next: `jr show ${handle}` });
}

const yesOrNo = new Map([
  ["yes", true],
  ["y", true],
  ["true", true],
  ["no", false],
  ["n", false],
  ["false", false],
]);

/** The answer as the question's schema has it. Throws invalid_argument, telling what would fit. */
function parseAnswer({ schema, choices }: Row<"questions">, typed: string): unknown {
  const wanted = z.record(z.string(), z.json()).parse(JSON.parse(schema));
  if (choices !== null) {
    const known = z.array(z.string()).parse(JSON.parse(choices));
    const fitting = known.filter((choice) => choice.toLowerCase() === typed.trim().toLowerCase());
    const exact = known.find((choice) => choice === typed) ?? (fitting.length === 1 ? fitting[0] : undefined);
    if (exact !== undefined) return exact;
    throw new UserError("invalid_argument", `"${typed}" is none of the answers: ${known.join(", ")}.`);
  }
  for (const value of readings(wanted.type, typed)) {
    const checked = checkInput(wanted, value);
    if (checked.ok && checked.json !== null) return JSON.parse(checked.json);
  }
  const expected = wanted.type === "boolean" ? "yes or no" : `JSON that fits ${JSON.stringify(wanted)}`;
  throw new UserError("invalid_argument", `"${typed}" does not fit; expected ${expected}.`);
}

/** What the person may have meant, the likeliest first. */
function readings(type: unknown, typed: string): unknown[] {
  if (type === "boolean") return [yesOrNo.get(typed.trim().toLowerCase())];
  if (type === "string") return [typed];
  try {
    return [JSON.parse(typed), typed];
  } catch {
    return [typed];
  }
}
