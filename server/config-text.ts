import { type Document, isMap, isNode, isPair, LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { configFile } from "./config-schema.ts";
import { UserError } from "./errors.ts";
import { nearestWord } from "./nearest-word.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** Parses the text of `config.yaml`. Throws `invalid_config` that names file, line, key and the fix, one line per mistake. */
export function readConfigText(text: string, file: string): z.infer<typeof configFile> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  const broken = document.errors[0];
  if (broken !== undefined) throw wrong([`${at(broken.pos[0])}: this is not YAML: ${broken.message}.`], file, broken);
  const parsed = configFile.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) =>
    explain(issue).map(({ path, message }) => `${at(offsetOf(document, path))}: ${message}`),
  );
  throw wrong(problems, file, parsed.error);
}

function wrong(problems: string[], file: string, cause: unknown): UserError {
  return new UserError("invalid_config", problems.join("\n"), {
    next: `correct ${file}, or put # before the line to get the default`,
    cause,
  });
}

/** One problem per unknown key, so that each has its own line. */
function explain(issue: Issue): { path: Path; message: string }[] {
  // What is wrong with a key of a record stands one level below.
  if (issue.code === "invalid_key")
    return issue.issues.map(({ message }) => ({ path: issue.path, message: `${message}.` }));
  if (issue.code !== "unrecognized_keys") {
    const key = issue.path.join(".");
    return [
      {
        path: issue.path,
        message: key === "" ? "settings are written as `key: value`." : `"${key}": ${issue.message}.`,
      },
    ];
  }
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: unknownKey(issue.path, key) }));
}

function unknownKey(parent: Path, key: string): string {
  const known = keysBelow(parent);
  const near = nearestWord(key, known);
  const full = [...parent, key].join(".");
  return `there is no setting "${full}". ${near ? `Did you mean "${near}"?` : `Known here: ${known.join(", ")}.`}`;
}

/** Keys that the file may hold at a path. */
function keysBelow(parent: Path): string[] {
  return [
    ...new Set(
      parent
        .reduce(schemasAt, [configFile])
        .flatMap(objects)
        .flatMap(({ shape }) => Object.keys(shape)),
    ),
  ];
}

type Schema = z.core.$ZodType;

/** The schemas of the value at one key below. */
function schemasAt(schemas: readonly Schema[], key: PropertyKey): Schema[] {
  return schemas.map(unwrapped).flatMap((schema) => {
    if (schema instanceof z.ZodRecord) return [schema.valueType];
    return objects(schema).flatMap(({ shape }) => (Object.hasOwn(shape, key) ? [shape[String(key)]] : []));
  });
}

function objects(schema: Schema): z.ZodObject[] {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodObject) return [inner];
  return inner instanceof z.ZodUnion ? inner.options.flatMap(objects) : [];
}

function unwrapped(schema: Schema): Schema {
  if (schema instanceof z.ZodPrefault) return unwrapped(schema.unwrap());
  return schema instanceof z.ZodPipe ? unwrapped(schema.in) : schema;
}

/** Where the deepest part of the path that is there begins: its key, so that the line is that of the key. */
function offsetOf(document: Document.Parsed, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (!isMap(node)) break;
    const pair = node.items.find((item) => isPair(item) && isNode(item.key) && String(item.key) === String(step));
    if (pair === undefined) break;
    if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
    node = pair.value;
  }
  return offset;
}
