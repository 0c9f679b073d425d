/* Tasks as a Markdown check list, written and read: both in one file, since each is right only with the other. */
import { UserError } from "../errors.ts";
import { type FileTask, fileTask } from "./task-file.ts";

const boxes = { open: " ", in_progress: "/", done: "x", failed: "!", cancelled: "-", skipped: "~" } as const;
const resultMark = "**Result:**";

/** A check list: parts are indented under their task, what else is known of it stands in braces, texts are quoted. */
export function writeMarkdown(tasks: readonly FileTask[]): string {
  const keys = new Set(tasks.map(({ key }) => key));
  const partsOf = Map.groupBy(tasks, ({ parent }) => (parent !== null && keys.has(parent) ? parent : null));
  const lines: string[] = [];
  // Not by recursion: a file may be nested as deep as it likes.
  const waiting = [...(partsOf.get(null) ?? [])].reverse().map((task) => ({ task, depth: 0 }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { task, depth } = next;
    lines.push(...taskLines(task).map((line) => `${"  ".repeat(depth)}${line}`));
    waiting.push(...[...(partsOf.get(task.key) ?? [])].reverse().map((part) => ({ task: part, depth: depth + 1 })));
  }
  return `${lines.join("\n")}\n`;
}

function taskLines({ body, result, ...task }: FileTask): string[] {
  return [
    `- [${boxes[task.state]}] ${task.title} {${attributes(task).join(" ")}}`,
    ...quoted(body),
    ...(result === null ? [] : [`  ${resultMark}`, ...quoted(result)]),
  ];
}

function quoted(text: string | null): string[] {
  return text === null ? [] : text.split("\n").map((line) => (line === "" ? "  >" : `  > ${line}`));
}

function attributes(task: Omit<FileTask, "body" | "result">): string[] {
  const value = (name: string, text: string) => `${name}=${/^[\w.:+-]+$/.test(text) ? text : JSON.stringify(text)}`;
  return [
    `#${task.key}`,
    ...(task.urgency === "normal" ? [] : [value("urgency", task.urgency)]),
    ...(task.priority === 0 ? [] : [value("priority", String(task.priority))]),
    ...(task.complexity === "medium" ? [] : [value("complexity", task.complexity)]),
    ...(task.due === null ? [] : [value("due", task.due)]),
    ...(task.assignee === null ? [] : [value("assignee", task.assignee)]),
    ...(task.labels.length === 0 ? [] : [value("labels", task.labels.join(","))]),
    ...(task.needs.length === 0 ? [] : [value("needs", task.needs.join(","))]),
    ...(task.person ? ["person"] : []),
  ];
}

const item = /^(\s*)(?:[-*+]|\d{1,9}[.)]) \[(.)\] +(.*)$/u;
const block = / *\{#([^\s}"=]{1,60})((?: +(?:\w+=(?:"(?:[^"\\]|\\.)*"|[^\s"{}]+)|person))*) *\}$/u;

/**
 * Reads a check list, also one that people wrote: `- [ ]`, nested by indentation, with or without braces; indented text under a task
 * is its body; whatever else stands in the file is passed over. Throws invalid_argument with the line.
 */
export function readMarkdown(text: string): FileTask[] {
  const tasks: FileTask[] = [];
  const above: { indent: number; key: string }[] = [];
  let open: { indent: number; body: string[]; result: string[] | null } | undefined;
  const close = () => {
    const last = tasks.at(-1);
    if (open !== undefined && last !== undefined) {
      tasks[tasks.length - 1] = { ...last, body: joined(open.body), result: joined(open.result ?? []) };
    }
    open = undefined;
  };
  for (const [at, raw] of text.replaceAll("\r\n", "\n").split("\n").entries()) {
    const line = raw.replace(/^[\t ]+/, (space) => space.replaceAll("\t", "    "));
    const [, space = "", box = "", rest] = item.exec(line) ?? [];
    const isText = open !== undefined && (line.trim() === "" || line.search(/\S/) > open.indent);
    if (rest !== undefined) {
      close();
      const indent = space.length;
      while ((above.at(-1)?.indent ?? -1) >= indent) above.pop();
      const task = readItem(rest, { box, line: at + 1, parent: above.at(-1)?.key ?? null });
      tasks.push(task);
      above.push({ indent, key: task.key });
      open = { indent, body: [], result: null };
    } else if (isText && open !== undefined) {
      if (line.trim() === resultMark) open.result = [];
      else (open.result ?? open.body).push(line.slice(Math.min(open.indent + 2, line.search(/\S|$/))));
    } else {
      close();
      above.length = 0;
    }
  }
  close();
  return tasks;
}

function readItem(rest: string, { box, line, parent }: { box: string; line: number; parent: string | null }): FileTask {
  const [whole = "", key, written = ""] = block.exec(rest) ?? [];
  const given = Object.fromEntries(
    Array.from(written.matchAll(/(\w+)(?:=("(?:[^"\\]|\\.)*"|[^\s"{}]+))?/gu), ([, name = "", value]) => [
      name,
      unquoted(value),
    ]),
  );
  const list = (text: string | undefined) =>
    text === undefined || text === "" ? [] : text.split(",").map((each) => each.trim());
  const { labels, needs, priority, person, ...others } = given;
  const states = Object.entries(boxes).find(([, mark]) => mark === box.toLowerCase());
  const parsed = fileTask.safeParse({
    ...others,
    key: key ?? `line-${line}`,
    title: rest.slice(0, rest.length - whole.length).trim(),
    state: states?.[0] ?? `[${box}]`,
    parent,
    labels: list(labels),
    needs: list(needs),
    person: person !== undefined,
    ...(priority === undefined ? {} : { priority: Number(priority) }),
  });
  if (parsed.success) return parsed.data;
  const [problem] = parsed.error.issues;
  const where = problem === undefined || problem.path.length === 0 ? "" : `${problem.path.map(String).join(".")}: `;
  throw new UserError("invalid_argument", `Line ${line}: ${where}${problem?.message ?? "no task"}.`, {
    next: "docs/tasks.md has the format",
  });
}

function unquoted(value: string | undefined): string {
  if (value === undefined || !value.startsWith('"')) return value ?? "";
  try {
    return String(JSON.parse(value));
  } catch {
    return value.slice(1, -1);
  }
}

/** Text under a task: quoted, as it is written here, or plain, as people do. */
function joined(lines: readonly string[]): string | null {
  const written = lines.filter((line) => line.trim() !== "");
  const text = written.every((line) => line.startsWith(">"))
    ? written.map((line) => line.replace(/^> ?/, "")).join("\n")
    : lines.join("\n").replace(/^\n+|\s+$/g, "");
  return text.trim() === "" ? null : text;
}
