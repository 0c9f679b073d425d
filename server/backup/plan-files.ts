import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../home.ts";
import { fileOfPart, type WorkFolder } from "./archive-format.ts";
import type { RestorePlan } from "./restore-plan.ts";

/** Where the files of a backup go, and what is in their way. */
export type PlannedFiles = Readonly<{
  /** Part to the path under which it is prepared. */
  staged: ReadonlyMap<string, string>;
  moves: RestorePlan["moves"];
  /** Files of other content that stand where those of the backup belong. */
  inTheWay: readonly string[];
}>;

/**
 * Plans the way of each file that a backup holds: `files` are their hashes by part. What is there already with the same content stays.
 * The head of the decisions that this machine remembers is never replaced: it may be further than the backup's.
 */
export function planFiles(
  home: Home,
  {
    files,
    jobsFolder,
    staging,
    aside,
  }: Readonly<{ files: ReadonlyMap<string, string>; jobsFolder: string; staging: string; aside: string }>,
): PlannedFiles {
  const staged = new Map<string, string>();
  const moves: RestorePlan["moves"] = [];
  const inTheWay: string[] = [];
  const workFolders = new Set<string>();
  for (const [part, hash] of files) {
    const place = fileOfPart(part);
    if (place === undefined) continue;
    const { kind, path } = place;
    if (kind === "runs" || kind === "plans") {
      staged.set(part, join(staging, part));
      workFolders.add(join(kind, path.split("/")[0] ?? ""));
      continue;
    }
    const to = kind === "home" ? join(home.root, path) : join(jobsFolder, path);
    if (to === home.chainHead && existsSync(to)) continue;
    if (existsSync(to)) {
      if (createHash("sha256").update(readFileSync(to)).digest("hex") === hash) continue;
      inTheWay.push(to);
    }
    staged.set(part, join(staging, part));
    moves.push({ from: join(staging, part), to, aside: join(aside, part) });
  }
  for (const folder of workFolders) {
    moves.push({ from: join(staging, folder), to: join(home.root, folder), aside: join(aside, folder) });
  }
  return { staged, moves, inTheWay };
}

/**
 * Puts the folders of runs (or plans) aside that the restored store does not know and the backup does not bring: one of that number would
 * find the files of another.
 */
export function planStrays(
  home: Home,
  { moves }: Pick<PlannedFiles, "moves">,
  { kind, isKnown, aside }: Readonly<{ kind: WorkFolder; isKnown: (id: number) => boolean; aside: string }>,
): RestorePlan["moves"] {
  const names = existsSync(home[kind]) ? readdirSync(home[kind]) : [];
  const pattern = kind === "runs" ? /^R\d{1,15}$/ : /^P\d{1,15}$/;
  return names
    .filter((name) => pattern.test(name) && !isKnown(Number(name.slice(1))))
    .map((name) => ({ from: null, to: join(home[kind], name), aside: join(aside, kind, name) }))
    .filter(({ to }) => !moves.some((move) => move.to === to));
}
