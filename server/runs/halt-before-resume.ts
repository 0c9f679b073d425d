import type { Manifest } from "../jobs/manifest.ts";
import type { Pool } from "../sandbox/types.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db, Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { effectLine } from "./effect-text.ts";
import type { Halt, Settlement } from "./queue/settle.ts";
import type { JournalEntry } from "./read-journal.ts";
import type { RunError } from "./run-error.ts";
import type { RuntimeVersions } from "./workers/find-runtime.ts";
import type { Serving } from "./workers/serving.ts";

type Unserved = Extract<Settlement, { state: "unserved" }>;
type Decisions = ReadonlyMap<number, "repeat" | "skip">;

/**
 * What a person has decided of the attempt's uncertain effects, or why it cannot go on before they do: an effect that is not safe to
 * repeat may have happened, or other versions of the runtime would replay the journal. The questions are then open. Where another
 * worker has the versions that it began under, it is left to that one instead.
 */
export async function haltBeforeResume(
  deps: Readonly<{ store: Store; pool: Pool; clock: () => Date; serving: Pick<Serving, "elsewhere"> }>,
  run: Row<"runs">,
  manifest: Manifest,
  journal: readonly JournalEntry[],
): Promise<{ halt?: Halt | Unserved; decisions: Decisions }> {
  const { db } = deps.store;
  const questions = await db
    .selectFrom("questions")
    .selectAll()
    .where("run_id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .where("kind", "in", ["uncertain", "runtime"])
    .execute();
  const decisions = new Map(questions.flatMap(asDecision));
  const at = deps.clock();

  const other = journal.length === 0 ? undefined : await otherRuntime(db, deps.pool, run);
  const accepted = questions.some(({ question, answer }) => question === other?.question && answer === '"resume"');
  if (other !== undefined && !accepted) {
    const elsewhere = await deps.serving.elsewhere(run.job, other.begun);
    if (elsewhere !== undefined) return { halt: leftTo(elsewhere, other.begun), decisions };
    const { question } = other;
    await open(db, run, at, [{ seq: 0, kind: "runtime", question, choices: ["resume", "fail"] }]);
    return { halt: halted("other_runtime", question), decisions };
  }

  const cutOff = journal.filter((entry) => entry.state === "intent" && !entry.safe && !decisions.has(entry.seq));
  if (manifest.onUncertain !== "ask" || cutOff.length === 0) return { decisions };
  const asked = cutOff.map((entry) => ({
    seq: entry.seq,
    kind: "uncertain" as const,
    question: `Effect ${entry.seq}, ${effectLine(entry)}, was cut off by a crash. Whether it happened is not known.`,
    choices: ["repeat", "skip", "fail"],
  }));
  await open(db, run, at, asked);
  return { halt: halted("uncertain", asked.map((each) => each.question).join(" ")), decisions };
}

function halted(reason: RunError["reason"], message: string): Halt {
  return { state: "needs_decision", error: { reason, class: "policy", message } };
}

function leftTo(worker: string, { guestRuntime }: RuntimeVersions): Unserved {
  const message = `It goes on where it can under guest runtime ${guestRuntime.slice(0, 14)}, with which it began: worker ${worker} has it.`;
  return { state: "unserved", error: { reason: "other_runtime", class: "transient", message } };
}

function asDecision({ kind, seq, answer }: Row<"questions">): (readonly [number, "repeat" | "skip"])[] {
  if (kind !== "uncertain" || answer === null) return [];
  return [[seq, JSON.parse(answer) === "repeat" ? "repeat" : "skip"]];
}

type NewQuestion = Pick<Row<"questions">, "seq" | "kind" | "question"> & { choices: readonly string[] };

/** A question that was asked and answered before is asked anew: its old answer was about another crash. */
async function open(db: Db, run: Row<"runs">, askedAt: Date, questions: readonly NewQuestion[]): Promise<void> {
  await inTransaction(db, async (trx) => {
    for (const { seq, kind, question, choices } of questions) {
      const asked = { question, asked_at: askedAt, answer: null, answered_at: null, answered_by: null };
      const schema = JSON.stringify({ type: "string", enum: choices });
      await trx
        .insertInto("questions")
        .values({
          run_id: run.id,
          attempt: run.attempt,
          seq,
          kind,
          schema,
          choices: JSON.stringify(choices),
          fallback: null,
          deadline: null,
          ...asked,
        })
        .onConflict((conflict) => conflict.columns(["run_id", "attempt", "seq", "kind"]).doUpdateSet(asked))
        .execute();
    }
  });
}

/** Tells of the versions that the attempt began under and those of now, where they differ. */
async function otherRuntime(
  db: Db,
  pool: Pool,
  run: Row<"runs">,
): Promise<{ question: string; begun: RuntimeVersions } | undefined> {
  const begun = await db
    .selectFrom("attempts")
    .select(["guest_runtime", "v8", "icu"])
    .where("run_id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .executeTakeFirst();
  if (begun?.guest_runtime === undefined || begun.guest_runtime === null) return undefined;
  const { v8, icu = "" } = process.versions;
  const runtime = pool.runtimes().includes(begun.guest_runtime) ? begun.guest_runtime : pool.guestRuntime;
  const same = begun.guest_runtime === runtime && begun.v8 === v8 && begun.icu === icu;
  if (same) return undefined;
  const named = (guest: string | null, engine: string | null, unicode: string | null) =>
    `guest runtime ${guest?.slice(0, 8)}, V8 ${engine}, ICU ${unicode}`;
  return {
    question: `It began under ${named(begun.guest_runtime, begun.v8, begun.icu)} and would go on under ${named(runtime, v8, icu)}, which may replay its journal otherwise.`,
    begun: { guestRuntime: begun.guest_runtime, v8: begun.v8, icu: begun.icu },
  };
}
