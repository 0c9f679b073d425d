import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { addListOptions, type ListOptions, listQuery } from "./task-list-options.ts";
import { readInput } from "./task-options.ts";

type ImportOptions = { json?: boolean; again?: boolean; dryRun?: boolean };

/** `jr task import` and `jr task export`: check lists in Markdown, or JSON. */
export function addTaskFileCommands(task: Command, context: CliContext): void {
  task
    .command("import <file>")
    .description("add the tasks of a Markdown check list or a JSON file; - reads standard input")
    .option("--json", "it is JSON, whatever its name")
    .option("--again", "also where the very same file was imported before")
    .option("--dry-run", "only check it")
    .action((file: string, options: ImportOptions) => importFile(context, file, options));
  addListOptions(task.command("export").description("print tasks as a Markdown check list"))
    .option("--json", "as JSON, with notes")
    .action(({ json, ...options }: ListOptions & { json?: boolean }) => exportTasks(context, json === true, options));
}

async function importFile(context: CliContext, file: string, { json, again, dryRun }: ImportOptions): Promise<void> {
  const text = file === "-" ? await readInput(context) : await readText(file);
  const client = await connectDaemon(context);
  const format = json || file.endsWith(".json") ? "json" : "markdown";
  const body = { format, text, again: again === true, dry_run: dryRun === true };
  const answer = z.object({ count: z.int(), created: z.array(z.string()), outside: z.int() });
  const { count, created, outside } = await client.post("/api/tasks/import", body, answer);
  if (outside > 0) say(context, `left out: ${outside} references to tasks that the file does not hold`);
  if (dryRun) return print(context, `In order: ${tasks(count)}; nothing was added.`);
  const range = created.length > 1 ? `${created[0]} to ${created.at(-1)}` : (created[0] ?? "");
  print(context, created.length === 0 ? "Nothing new." : `Added: ${tasks(created.length)}, ${range}.`);
  if (created.length < count) {
    say(context, `${tasks(count - created.length)} of it were there already; --again adds them once more`);
  }
}

async function exportTasks(context: CliContext, json: boolean, options: ListOptions): Promise<void> {
  const client = await connectDaemon(context);
  const query = new URLSearchParams({ ...listQuery(options), format: json ? "json" : "markdown" });
  const { text, count } = await client.get(
    `/api/tasks/export?${query}`,
    z.object({ text: z.string(), count: z.int() }),
  );
  if (count === 0) return say(context, "No tasks.");
  print(context, text);
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UserError("invalid_argument", `Cannot read ${file}: ${messageOf(cause)}.`, { cause });
  }
}

function tasks(count: number): string {
  return count === 1 ? "1 task" : `${count} tasks`;
}
