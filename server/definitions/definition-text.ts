import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { type Diagnostic, problem } from "../jobs/diagnostic.ts";
import { yamlIssues } from "../yaml-issues.ts";

/** What a text declares, or what is wrong with it, with file and line. */
export type Parsed<T> = Readonly<{ ok: true; value: T } | { ok: false; problems: readonly Diagnostic[] }>;

/** Where a piece of YAML stands: `lineBefore` lines of the file come before it. */
type Place = Readonly<{ file: string; lineBefore?: number; noun: string }>;

/** Where each of its keys stands, for problems that are found later. */
export type LineOf = (...path: readonly string[]) => number;

/** Parses YAML (or JSON, which is YAML) against a schema. */
export function parseYaml<T>(
  text: string,
  schema: z.ZodType<T>,
  { file, lineBefore = 0, noun }: Place,
): Parsed<{ data: T; lineOf: LineOf }> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => ({ line: lines.linePos(offset).line + lineBefore });
  const [broken] = document.errors;
  if (broken !== undefined)
    return failed(problem(file, `this is not YAML: ${broken.message}`, null, at(broken.pos[0])));
  const parsed = schema.safeParse(toPlain(document) ?? {});
  if (!parsed.success) {
    const issues = yamlIssues(document, schema, parsed.error, noun);
    return failed(...issues.map(({ offset, message }) => problem(file, message, null, at(offset))));
  }
  const lineOf: LineOf = (...path) => {
    const node: unknown = document.getIn(path, true);
    const range = typeof node === "object" && node !== null && "range" in node ? node.range : undefined;
    const offset: unknown = Array.isArray(range) ? range[0] : 0;
    return at(typeof offset === "number" ? offset : 0).line;
  };
  return { ok: true, value: { data: parsed.data, lineOf } };
}

/** Aliases that would grow beyond all measure are no document. */
function toPlain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch {
    return undefined;
  }
}

/** A Markdown file with YAML between two lines of `---` at its beginning. */
export function parseFrontmatter<T>(
  text: string,
  schema: z.ZodType<T>,
  file: string,
): Parsed<{ data: T; lineOf: LineOf; body: string }> {
  const [, yaml] = /^---\n([\s\S]*?)\n---\n/.exec(text) ?? [];
  if (yaml === undefined) {
    const message = 'it must begin with a line "---", then "description: …" and other keys, then "---" again';
    return failed(problem(file, message));
  }
  const parsed = parseYaml(yaml, schema, { file, lineBefore: 1, noun: "key" });
  return parsed.ok ? { ok: true, value: { ...parsed.value, body: bodyOf(text) } } : parsed;
}

/** The text of a Markdown file below its frontmatter. */
export function bodyOf(text: string): string {
  return text.replace(/^---\n[\s\S]*?\n---\n/, "").trim();
}

/** A result that is no value. */
export function failed(...problems: readonly Diagnostic[]): { ok: false; problems: readonly Diagnostic[] } {
  return { ok: false, problems };
}
