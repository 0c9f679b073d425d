import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { defineEffect } from "./define-effect.ts";
import { fileFacts } from "./files-entry.ts";
import { isMissing, withTarget } from "./files-open.ts";
import { unsafePath } from "./path-error.ts";
import { pathArgument, requirePathGrant } from "./path-grant.ts";

const maxEntries = 10_000;

/** `files.list`: what a granted folder holds, sorted by name; links are `other`, wherever they lead. */
export const filesList = defineEffect({
  op: "files.list",
  kind: "outside",
  args: z.strictObject({ path: pathArgument }),
  safe: () => true,
  allow: (manifest, { path }) => void requirePathGrant(manifest, "read", path),
  perform: (context, { path }) =>
    withTarget(context, path, async ({ stats, at }) => {
      if (!stats.isDirectory()) throw unsafePath(path, "is no folder");
      const names = await namesIn(at, path, context.signal);
      const entries = [];
      for (const name of names.sort(byText)) {
        context.signal.throwIfAborted();
        const found = await lstat(join(at, name)).catch(goneMeanwhile);
        if (found !== undefined) entries.push({ name, ...fileFacts(found) });
      }
      return { entries };
    }),
});

async function namesIn(folder: string, path: string, signal: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of await opendir(folder)) {
    signal.throwIfAborted();
    if (names.push(name) <= maxEntries) continue;
    throw new UserError("limit_exceeded", `"${path}" holds more than ${maxEntries} entries, the most that are listed.`);
  }
  return names;
}

/** Not by locale: the order must be the same wherever a run goes on. */
function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function goneMeanwhile(thrown: unknown): undefined {
  if (!isMissing(thrown)) throw thrown;
}
