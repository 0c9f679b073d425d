import { z } from "zod";
import { listCommands } from "../definitions/definition-words.ts";
import { UserError } from "../errors.ts";
import { nearestWord } from "../nearest-word.ts";
import { definitionKinds, subjectNoun, subjectWord } from "../review/subject.ts";
import { visibleLine } from "../review/visible-text.ts";
import type { DefinitionKind } from "../store/tables.ts";
import type { DaemonClient } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText, tableText } from "./show-list.ts";

const overview = z.object({
  kind: z.enum(definitionKinds),
  name: z.string(),
  description: z.string(),
  origin: z.enum(["shipped", "home", "path"]),
  path: z.string().nullable(),
  active: z.int().nullable(),
  pending: z.int().nullable(),
  newest: z.object({ version: z.int(), state: z.string(), rejectedNote: z.string().nullable() }),
});
const problem = z.object({ file: z.string(), line: z.int(), message: z.string(), hint: z.string().nullable() });
const listAnswer = z.object({ rows: z.array(overview), problems: z.array(problem) });

export type DefinitionAnswer = z.infer<typeof overview>;

/** What GET /api/definitions says of one kind. */
export function fetchDefinitions(client: DaemonClient, kind: DefinitionKind): Promise<z.infer<typeof listAnswer>> {
  return client.get(`/api/definitions?kind=${kind}`, listAnswer);
}

/** One of a kind by name. Throws `definition_not_found`. */
export async function fetchOne(client: DaemonClient, kind: DefinitionKind, name: string): Promise<DefinitionAnswer> {
  const { rows } = await fetchDefinitions(client, kind);
  const found = rows.find((row) => row.name === name);
  if (found !== undefined) return found;
  const near = nearestWord(
    name,
    rows.map((row) => row.name),
  );
  throw new UserError(
    "definition_not_found",
    `There is no ${subjectNoun({ kind, name: name.slice(0, 80) })}.${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    { next: listCommands[kind] },
  );
}

/** Prints the list of a kind: what is used, what waits for a signature, and which files are not accepted. */
export async function printDefinitions(
  context: CliContext,
  client: DaemonClient,
  kind: DefinitionKind,
  { json, none }: { json?: boolean | undefined; none: string },
): Promise<void> {
  const { rows, problems } = await fetchDefinitions(client, kind);
  if (json) return print(context, jsonText({ rows, problems }));
  if (rows.length === 0) say(context, none);
  else {
    const cells = rows.map((row) => [
      row.name,
      usedText(row),
      waitsText(row),
      row.origin,
      cut(visibleLine(row.description)),
    ]);
    print(context, tableText(context, ["NAME", "USED", "WAITS", "FROM", "WHAT"], cells));
  }
  for (const { file, line, message, hint } of problems) {
    say(context, `not accepted: ${visibleLine(`${file}:${line} ${message}`)}`);
    if (hint !== null) say(context, `  hint: ${visibleLine(hint)}`);
  }
  const waiting = rows.filter(({ pending, path }) => pending !== null && path !== null);
  const [first] = waiting;
  if (first === undefined) return;
  const shipped = waiting.every(({ origin }) => origin === "shipped");
  say(context, `to sign: jr approve ${shipped ? "--shipped" : subjectWord(first)}`);
}

const longestShown = 110;

function cut(text: string): string {
  return text.length <= longestShown ? text : `${text.slice(0, longestShown - 1)}…`;
}

function usedText({ active, path }: DefinitionAnswer): string {
  if (path === null) return "file deleted";
  return active === null ? "no" : `v${active}`;
}

function waitsText({ pending, newest, active }: DefinitionAnswer): string {
  if (pending !== null) return `v${pending}`;
  return newest.version !== active && newest.state === "rejected" ? `v${newest.version} rejected` : "";
}
