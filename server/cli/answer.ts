import { Command } from "commander";
import { z } from "zod";
import { personCommand } from "../person-command.ts";
import { visibleLine, visibleText } from "../review/visible-text.ts";
import { formatRunId, parseRunId } from "../runs/run-id.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { expectedText, type QuestionAnswer, questionAnswer } from "./question-answer.ts";
import { jsonText } from "./show-list.ts";
import { localTime } from "./status-text.ts";

type Options = { effect?: string; json?: boolean };

/** `jr answer R12 [yes]`: what a run asks, or the answer that lets it go on. */
export function command(context: CliContext): Command {
  return new Command("answer")
    .description("answer what a run asks; without an answer, show the question")
    .argument("<run>", "such as R12")
    .argument("[answer]", "one of the choices, yes or no, text, or JSON")
    .option("--effect <n>", "which question, where a run asks several; the oldest where none is given")
    .option("--json", "print JSON")
    .action(async (handle: string, value: string | undefined, { effect, json }: Options) => {
      const id = parseRunId(handle);
      const client = await connectDaemon(context);
      if (value === undefined) {
        const { questions } = await client.get(
          `/api/runs/${id}/questions`,
          z.object({ questions: z.array(questionAnswer) }),
        );
        if (json) return print(context, jsonText(questions));
        if (questions.length === 0) return say(context, `${formatRunId(id)} asks nothing.`);
        for (const question of questions) print(context, questionText(context, question));
        return;
      }
      const body = { value, ...(effect === undefined ? {} : { seq: Number(effect) }) };
      const schema = z.object({ question: questionAnswer, answer: z.string() });
      const { question, answer } = await client.post(`/api/runs/${id}/answer`, body, schema);
      if (json) return print(context, jsonText({ question, answer }));
      print(
        context,
        `Answered ${visibleLine(answer)}: ${formatRunId(id)} of ${question.job} ${next(question, answer)}.`,
      );
    });
}

function next({ kind }: QuestionAnswer, answer: string): string {
  return kind !== "ask" && answer === '"fail"' ? "has ended" : "goes on";
}

function questionText({ home }: CliContext, question: QuestionAnswer): string {
  const { run, job, seq, asked_at, deadline } = question;
  const until = deadline === null ? "" : `, until ${localTime(deadline)}`;
  return [
    `${run} of ${job} asks (effect ${seq}, since ${localTime(asked_at)}${until}):`,
    `  ${visibleText(question.question).replaceAll("\n", "\n  ")}`,
    `  Answer: ${personCommand(home, "answer", run)} <${visibleLine(expectedText(question))}>`,
  ].join("\n");
}
