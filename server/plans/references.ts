import { UserError } from "../errors.ts";
import type { PlanNode } from "./plan-spec.ts";

/** What `${node.output.path[0]}` stands for. */
export type Reference = Readonly<{ text: string; node: string; path: readonly (string | number)[] }>;

const pattern = /\$\{([a-z][a-z0-9_-]*)\.output((?:\.[A-Za-z_][\w-]*|\[\d{1,6}\])*)\}/g;

function asReference([text, node = "", path = ""]: RegExpMatchArray): Reference {
  const steps = Array.from(path.matchAll(/\.([^.[]+)|\[(\d+)\]/g), ([, name, index]) => name ?? Number(index));
  return { text, node, path: steps };
}

/** Every reference in a text. */
export function referencesIn(text: string): Reference[] {
  return Array.from(text.matchAll(pattern), asReference);
}

/** Every reference in what a node is given. */
export function referencesOf(node: PlanNode): Reference[] {
  switch (node.kind) {
    case "job":
      return stringsIn(node.input).flatMap(referencesIn);
    case "command":
      return node.args.flatMap(referencesIn);
    case "agent":
    case "merge":
    case "person":
    case "host":
      return referencesIn(node.prompt);
    default:
      return node satisfies never;
  }
}

/** What a node waits for: what it names, and what its texts refer to. */
export function needsOf(node: PlanNode): string[] {
  return [...new Set([...node.needs, ...referencesOf(node).map((reference) => reference.node)])];
}

/** The text with every reference replaced by what `show` makes of it. */
export function fillText(text: string, show: (reference: Reference) => string): string {
  return text.replaceAll(pattern, (...match) => {
    const [whole = "", node = "", path = ""] = match.map(String);
    return show(asReference([whole, node, path]));
  });
}

/**
 * JSON with its references replaced: a string that is one reference and nothing else becomes the value itself, within
 * other text it becomes that value's text.
 */
export function fillJson(value: unknown, lookUp: (reference: Reference) => unknown): unknown {
  if (typeof value === "string") {
    const [only] = referencesIn(value);
    if (only !== undefined && only.text === value) return lookUp(only);
    return fillText(value, (reference) => textOf(lookUp(reference)));
  }
  if (Array.isArray(value)) return value.map((item) => fillJson(item, lookUp));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillJson(item, lookUp)]));
}

/** A value as text: a string as it is, anything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "null");
}

/**
 * The value that a reference means within a node's output, null where that node gave none. Without a path it is the output's
 * JSON where it is JSON, else its text. Throws `input_invalid` where the output has no such part.
 */
export function valueAt({ text, node, path }: Reference, output: string | null): unknown {
  if (output === null) return null;
  const whole = parsed(output);
  if (path.length === 0) return whole.ok ? whole.value : output;
  let value: unknown = whole.ok ? whole.value : undefined;
  for (const step of path) value = memberOf(value, step);
  if (value !== undefined) return value;
  throw new UserError("input_invalid", `The output of ${node} has nothing at ${text}.`);
}

function memberOf(value: unknown, step: string | number): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
  return Object.entries(value).find(([key]) => key === String(step))?.[1];
}

function parsed(text: string): { ok: true; value: unknown } | { ok: false } {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false };
  }
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(stringsIn);
}
