import { z } from "zod";
import { defineEffect } from "./define-effect.ts";

const maxQuestion = 4_000;
const maxChoices = 50;
const longestMs = 3_660 * 86_400_000;

/** `ask`: a question that a person answers, with `jr answer`. It waits for days where it must, without a process. */
export const ask = defineEffect({
  op: "ask",
  kind: "waiting",
  args: z.strictObject({
    question: z.string().trim().min(1).max(maxQuestion),
    schema: z.record(z.string(), z.json()),
    choices: z.array(z.string().min(1).max(200)).min(1).max(maxChoices).nullable(),
    timeoutMs: z.int().positive().max(longestMs).nullable(),
    fallback: z.json().optional(),
  }),
  safe: () => true,
  wakeAt: (startedAt, { timeoutMs }) => (timeoutMs === null ? null : new Date(startedAt.getTime() + timeoutMs)),
  async begin(
    { db, services, job, runId, attempt, seq, startedAt },
    { question, schema, choices, timeoutMs, fallback },
  ) {
    const deadline = timeoutMs === null ? null : new Date(startedAt.getTime() + timeoutMs);
    const asked = { runId, attempt, seq, job, question, schema, choices, fallback, askedAt: startedAt, deadline };
    await services.openQuestion(db, asked);
  },
  async perform({ services, runId, attempt, seq, signal }) {
    return { answer: await services.awaitAnswer({ runId, attempt, seq }, signal) };
  },
});
