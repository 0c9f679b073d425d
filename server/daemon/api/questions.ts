import { Hono } from "hono";
import { z } from "zod";
import { answerQuestion } from "../../runs/answer-question.ts";
import { openQuestions, type WaitingQuestion } from "../../runs/questions.ts";
import { formatRunId, requireRun } from "../../runs/read.ts";
import type { DaemonDeps } from "../deps.ts";
import { parseBody } from "./parse.ts";

const answerBody = z.strictObject({ value: z.string().max(100_000), seq: z.int().nonnegative().optional() });

/** What runs ask a person, and the person's answers. This is the only door to `answerQuestion`: no agent answers. */
export function questionsApi(deps: Pick<DaemonDeps, "store" | "nudge">): Hono {
  const { db } = deps.store;
  return new Hono()
    .get("/api/runs/:run/questions", async (c) => {
      const run = await requireRun(db, c.req.param("run"));
      const questions = await openQuestions(db, run.id);
      return c.json({ questions: questions.map((question) => questionAnswer({ ...question, job: run.job })) });
    })
    .post("/api/runs/:run/answer", async (c) => {
      const { value, seq } = await parseBody(c, answerBody);
      const answered = await answerQuestion(deps, { run: c.req.param("run"), value, seq, by: "person" });
      deps.nudge();
      const run = await requireRun(db, answered.run_id);
      return c.json({ question: questionAnswer({ ...answered, job: run.job }), answer: answered.answer });
    });
}

/** A question, as the person's door tells of it. */
export function questionAnswer(question: WaitingQuestion) {
  const { run_id, job, seq, kind, choices, asked_at, deadline, schema } = question;
  return {
    run: formatRunId(run_id),
    job,
    seq,
    kind,
    question: question.question,
    choices: choices === null ? null : z.array(z.string()).parse(JSON.parse(choices)),
    schema: z.record(z.string(), z.json()).parse(JSON.parse(schema)),
    asked_at: asked_at.toISOString(),
    deadline: deadline?.toISOString() ?? null,
  };
}
