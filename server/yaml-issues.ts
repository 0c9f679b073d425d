import { type Document, isMap, isNode, isPair } from "yaml";
import { z } from "zod";
import { nearestWord } from "./nearest-word.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];
type Schema = z.core.$ZodType;

/** What is wrong in a document that a person writes: where it stands, as an offset, and words for them. */
export type YamlIssue = Readonly<{ offset: number; message: string }>;

/** The findings of a schema in a document, one for each unknown key. `noun` is what its keys are called, such as `setting`. */
export function yamlIssues(document: Document.Parsed, schema: z.ZodType, error: z.ZodError, noun: string): YamlIssue[] {
  return error.issues.flatMap((issue) =>
    explain(schema, issue, noun).map(({ path, message }) => ({ offset: offsetOf(document, path), message })),
  );
}

/** One problem per unknown key, so that each has its own line. */
function explain(schema: z.ZodType, issue: Issue, noun: string): { path: Path; message: string }[] {
  // What is wrong with a key of a record stands one level below.
  if (issue.code === "invalid_key")
    return issue.issues.map(({ message }) => ({ path: issue.path, message: `${message}.` }));
  if (issue.code !== "unrecognized_keys") {
    const key = issue.path.join(".");
    const message = key === "" ? `${noun}s are written as \`key: value\`.` : `"${key}": ${issue.message}.`;
    return [{ path: issue.path, message }];
  }
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: unknownKey(schema, issue.path, key, noun) }));
}

function unknownKey(schema: z.ZodType, parent: Path, key: string, noun: string): string {
  const known = keysBelow(schema, parent);
  const near = nearestWord(key, known);
  const full = [...parent, key].join(".");
  return `there is no ${noun} "${full}". ${near ? `Did you mean "${near}"?` : `Known here: ${known.join(", ")}.`}`;
}

/** Keys that the document may hold at a path. */
function keysBelow(schema: z.ZodType, parent: Path): string[] {
  const start: readonly Schema[] = [schema];
  const there = parent.reduce<readonly Schema[]>(schemasAt, start);
  return [...new Set(there.flatMap(objects).flatMap(({ shape }) => Object.keys(shape)))];
}

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
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault) return unwrapped(schema.unwrap());
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
