import { z } from "zod";
import type { Manifest } from "../../jobs/manifest.ts";

/** Something that a job needs and a worker may lack: a label, a secret's name, a path and so on. */
export type Need = Readonly<{ kind: string; name: string }>;

/** What one worker has to offer. */
export type Means = Readonly<{
  labels: ReadonlySet<string>;
  hasSecret(name: string): boolean;
  hasTarget(name: string): boolean;
  hasModel(name: string): Promise<boolean>;
  hasPath(path: string, access: "read" | "write"): Promise<boolean>;
  hasProgram(path: string): Promise<boolean>;
}>;

/** Needs by job, as a worker's row keeps them. A newer release may know kinds that this one does not. */
const unservedSchema = z.record(z.string(), z.array(z.object({ kind: z.string(), name: z.string() })));

export type Unserved = Readonly<Record<string, readonly Need[]>>;

/** Reads what `JSON.stringify` made of an Unserved; nothing where it is none. */
export function parseUnserved(json: string): Unserved {
  return unservedSchema.catch({}).parse(JSON.parse(json));
}

/** Labels of the manifest that the worker does not have. */
export function unmetLabels({ runsOn }: Manifest, { labels }: Pick<Means, "labels">): Need[] {
  return runsOn.filter((name) => !labels.has(name)).map((name) => ({ kind: "label", name }));
}

/** Everything that the manifest names and the worker does not have. */
export async function unmetNeeds(manifest: Manifest, means: Means): Promise<Need[]> {
  const { secrets, notify, llm, files, exec } = manifest.permissions;
  const read = (path: string) => means.hasPath(path, "read");
  const write = (path: string) => means.hasPath(path, "write");
  const lacking = await Promise.all([
    missing("secret", Object.keys(secrets), means.hasSecret),
    missing("target", notify, means.hasTarget),
    missing("model", llm, means.hasModel),
    missing("path", files.read, read),
    missing("path", files.write, write),
    missing(
      "program",
      exec.map(({ command }) => command),
      means.hasProgram,
    ),
  ]);
  const needs = [...unmetLabels(manifest, means), ...lacking.flat()];
  return needs.filter((need, at) => needs.findIndex((other) => sameNeed(other, need)) === at);
}

async function missing(
  kind: string,
  names: readonly string[],
  has: (name: string) => boolean | Promise<boolean>,
): Promise<Need[]> {
  const there = await Promise.all(names.map(has));
  return names.filter((_, at) => there[at] === false).map((name) => ({ kind, name }));
}

/** Whether a newer program alone has it: it keeps nothing from going on here that has begun here. */
export function isOfRelease({ kind }: Need): boolean {
  return kind === "release" || kind === "runtime";
}

export function sameNeed(one: Need, other: Need): boolean {
  return one.kind === other.kind && one.name === other.name;
}

/** What lacks it, in words that follow a worker's name or "no worker": `has no label gpu`, `has label gpu`. */
export function needText({ kind, name }: Need, article: "no " | "" = "no "): string {
  switch (kind) {
    case "path":
    case "program":
      return `has ${article}${name}`;
    case "approval":
      return `${article === "" ? "trusts" : "does not trust"} the key that approved it`;
    case "release":
      return article === "" ? "has the release that made it" : "has an older release than the one that made it";
    case "runtime":
      return `has ${article}guest runtime ${name}`;
    case "target":
      return `has ${article}notify target ${name}`;
    default:
      return `has ${article}${kind} ${name}`;
  }
}
