import { answerSchema } from "./answer-schema.ts";
import { optionsOf, requireText } from "./arguments.ts";
import { durationMs } from "./duration.ts";
import { effect } from "./effect.ts";

type Options = { choices?: readonly string[]; schema?: unknown; timeout?: string | number; fallback?: unknown };

/** A person's answer: yes or no, one of the choices, or what the schema says. */
export async function ask(question: string, options?: Options): Promise<unknown> {
  const { choices, schema, timeout, fallback } = optionsOf(options, "ask: options");
  if (choices !== undefined && schema !== undefined) throw new TypeError("ask takes either choices or a schema");
  if (choices !== undefined && !areTexts(choices)) throw new TypeError("ask: choices must be an array of texts");
  const usual = choices === undefined ? { type: "boolean" } : { type: "string", enum: [...new Set(choices)] };
  const wanted = answerSchema(schema ?? usual, "ask");
  const { answer } = await effect<{ answer: unknown }>("ask", {
    question: requireText(question, "ask: the question"),
    schema: wanted.json,
    choices: choices === undefined ? null : [...choices],
    timeoutMs: timeout === undefined ? null : durationMs(timeout, "ask: timeout"),
    ...(fallback === undefined ? {} : { fallback }),
  });
  return wanted.read(answer);
}

function areTexts(choices: unknown): boolean {
  return Array.isArray(choices) && choices.length > 0 && choices.every((choice) => typeof choice === "string");
}
