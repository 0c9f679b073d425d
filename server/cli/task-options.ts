import { type Command, InvalidArgumentError } from "commander";
import { UserError } from "../errors.ts";
import type { CliContext } from "./context.ts";

/** What `jr task add` and `jr task edit` say of a task. */
export type FieldOptions = Readonly<{
  body?: string;
  parent?: string;
  urgency?: string;
  priority?: number;
  complexity?: string;
  label?: string[];
  due?: string;
  assignee?: string;
  me?: boolean;
}>;

/** Adds the options of a task's fields to a command. */
export function withFields(command: Command): Command {
  return command
    .option("--body <text>", "what whoever does it must know, in Markdown; - reads standard input")
    .option("--parent <task>", "the task that it is a part of")
    .option("--urgency <how>", "low, normal, high or now")
    .option("--priority <n>", "-100 to 100; higher goes first among the equally urgent", wholeNumber)
    .option("--complexity <how>", "low, medium or high")
    .option("--label <label>", "may be given several times", collect)
    .option("--due <day>", "such as 2026-12-01 or 2026-12-01T08:00Z")
    .option("--assignee <name>", "for whom it is")
    .option("--me", "only you can end it, no agent");
}

/** The fields as the daemon's door takes them; an empty text takes away what was there. */
export async function readFields(context: CliContext, options: FieldOptions): Promise<Record<string, unknown>> {
  const { body, parent, label, due, assignee, me, urgency, priority, complexity } = options;
  const orNull = (text: string | undefined) => (text === "" ? null : text);
  return {
    body: orNull(body === "-" ? await readInput(context) : body),
    parent: orNull(parent),
    labels: label?.filter((each) => each !== ""),
    due: orNull(due),
    assignee: orNull(assignee),
    open_to: me === undefined ? undefined : me ? "person" : null,
    urgency,
    priority,
    complexity,
  };
}

const mostInput = 10_000_000;

/** All of standard input. Throws invalid_argument where it is too long. */
export async function readInput({ stdin }: CliContext): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stdin) {
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    if (text.length > mostInput) throw new UserError("invalid_argument", "Standard input is too long.");
  }
  return text + decoder.decode();
}

/** For an option that may be given several times. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** For an option that is a whole number. */
export function wholeNumber(text: string): number {
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a whole number, please.");
}
