import { Command } from "commander";
import { z } from "zod";
import { formatTaskId } from "../tasks/task-id.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText } from "./show-list.ts";
import { type TaskAnswer, taskAnswer, taskDetails } from "./task-answer.ts";
import { addTaskFileCommands } from "./task-files.ts";
import { addLinkCommand } from "./task-link.ts";
import { addListOptions, type ListOptions, listQuery } from "./task-list-options.ts";
import { collect, type FieldOptions, readFields, wholeNumber, withFields } from "./task-options.ts";
import { taskDetailsText, tasksText } from "./task-text.ts";

/** `jr task`: what is to be done, by agents and by you. */
export function command(context: CliContext): Command {
  const task = new Command("task").description("what is to be done, by agents and by you");
  addListOptions(task.command("list", { isDefault: true }).description("list tasks, the most urgent first"))
    .option("--limit <n>", "at most 500", "50")
    .option("--cursor <cursor>", "from the page before")
    .option("--json", "print JSON")
    .action((options: ListOptions & Page) => list(context, options));
  task
    .command("show <task>")
    .description("show one with its history")
    .option("--json", "print JSON")
    .action((handle: string, { json }: Json) => show(context, handle, json));
  withFields(task.command("add <title>").description("add a task"))
    .option("--needs <task>", "what must be done before; may be given several times", collect)
    .option("--json", "print JSON")
    .action((title: string, options: FieldOptions & Json & { needs?: string[] }) => add(context, title, options));
  withFields(task.command("edit <task>").description("change what is said of it; an empty text takes it away"))
    .option("--title <text>")
    .option("--needs <task>", "add something that must be done before", collect)
    .option("--not-needs <task>", "take that away", collect)
    .option("--no-me", "agents may end it, too")
    .option("--json", "print JSON")
    .action((handle: string, options: EditOptions) => edit(context, handle, options));
  task
    .command("claim <task>")
    .description("hold it, so that no agent takes it")
    .option("--minutes <n>", "for so long", wholeNumber, 1_440)
    .action((handle: string, { minutes }: { minutes: number }) =>
      act(context, handle, { action: "claim", lease_seconds: minutes * 60 }),
    );
  for (const [name, action, description] of endings) {
    task
      .command(`${name} <task> [text...]`)
      .description(description)
      .action((handle: string, words: string[]) =>
        act(context, handle, { action, ...(words.length === 0 ? {} : { text: words.join(" ") }) }),
      );
  }
  addTaskFileCommands(task, context);
  addLinkCommand(task, context);
  return task;
}

const endings = [
  ["done", "done", "it is done; the text is the result"],
  ["fail", "failed", "it did not work; the text says why"],
  ["cancel", "cancel", "it is not needed any more, nor are its sub-tasks"],
  ["reopen", "reopen", "open an ended one again"],
  ["release", "release", "take it from whoever holds it"],
  ["note", "note", "add a note to its history"],
] as const;

type Json = { json?: boolean };
type Page = Json & { limit: string; cursor?: string };
type EditOptions = FieldOptions & Json & { title?: string; needs?: string[]; notNeeds?: string[] };

async function list(context: CliContext, { limit, cursor, json, ...options }: ListOptions & Page): Promise<void> {
  const client = await connectDaemon(context);
  const query = new URLSearchParams({ ...listQuery(options), limit, ...(cursor === undefined ? {} : { cursor }) });
  const page = await client.get(
    `/api/tasks?${query}`,
    z.object({ rows: z.array(taskAnswer), cursor: z.string().nullable() }),
  );
  if (json) return print(context, jsonText(page));
  if (page.rows.length === 0) return say(context, options.ready ? "No task is ready." : "No tasks.");
  print(context, tasksText(context, page.rows));
  if (page.cursor !== null) say(context, `more: --cursor ${page.cursor}`);
}

async function show(context: CliContext, handle: string, json: boolean | undefined): Promise<void> {
  const client = await connectDaemon(context);
  const whole = await client.get(`/api/tasks/${encodeURIComponent(handle)}`, taskDetails);
  print(context, json ? jsonText(whole) : taskDetailsText(context, whole));
}

async function add(
  context: CliContext,
  title: string,
  { needs, json, ...options }: FieldOptions & Json & { needs?: string[] },
) {
  const task = { ...(await readFields(context, options)), title, depends_on: needs };
  const client = await connectDaemon(context);
  const { tasks } = await client.post(
    "/api/tasks",
    { tasks: [task] },
    z.object({ tasks: z.array(taskAnswer).length(1) }),
  );
  for (const made of tasks) print(context, json ? jsonText(made) : `Added: ${sentence(made)}`);
}

async function edit(context: CliContext, handle: string, { title, needs, notNeeds, json, ...options }: EditOptions) {
  const change = {
    ...(await readFields(context, options)),
    title,
    add_dependencies: needs,
    remove_dependencies: notNeeds,
  };
  await act(context, handle, { action: "edit", ...change }, json);
}

async function act(context: CliContext, handle: string, body: Record<string, unknown>, json?: boolean): Promise<void> {
  const client = await connectDaemon(context);
  const answer = z.object({ task: taskAnswer, ready: z.array(taskAnswer) });
  const { task, ready } = await client.post(`/api/tasks/${encodeURIComponent(handle)}`, body, answer);
  if (json) return print(context, jsonText(task));
  print(context, sentence(task));
  if (body.action === "done" && ready.length > 0) {
    say(context, `ready now: ${ready.map(({ id }) => formatTaskId(id)).join(", ")}`);
  }
}

function sentence({ id, title, state, claim, claimed_until }: TaskAnswer): string {
  const held = claimed_until === null ? "" : ` until ${claimed_until.toISOString()} (claim ${claim})`;
  return `${formatTaskId(id)} ${title}: ${state}${held}`;
}
