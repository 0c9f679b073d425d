import { z } from "zod";

/** What a run asks, as the person's door tells of it. */
export const questionAnswer = z.object({
  run: z.string(),
  job: z.string(),
  seq: z.int(),
  kind: z.enum(["ask", "uncertain", "runtime", "restored"]),
  question: z.string(),
  choices: z.array(z.string()).nullable(),
  schema: z.record(z.string(), z.json()),
  asked_at: z.string(),
  deadline: z.string().nullable(),
});

export type QuestionAnswer = z.infer<typeof questionAnswer>;

/** What may be answered, in words. */
export function expectedText({ choices, schema }: QuestionAnswer): string {
  if (choices !== null) return choices.join(" | ");
  switch (schema.type) {
    case "boolean":
      return "yes | no";
    case "string":
      return "text";
    case "number":
    case "integer":
      return "a number";
    default:
      return `JSON that fits ${JSON.stringify(schema)}`;
  }
}
