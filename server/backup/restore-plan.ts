import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { personCommand } from "../person-command.ts";
import { replaceFile, syncFolder } from "../private-file.ts";
import { useStagedStore } from "../store/staged-store.ts";

const planSchema = z.strictObject({
  /** The backup, for people. */
  file: z.string(),
  store: z.enum(["pglite", "postgres"]),
  /** Holds a password, perhaps: the plan is private and deleted at the end. */
  databaseUrl: z.string().nullable(),
  /** Folder that takes what was there before. */
  aside: z.string(),
  /** In order; `from` is null where something is only put aside. */
  moves: z.array(z.strictObject({ from: z.string().nullable(), to: z.string(), aside: z.string() })),
});

/** What is left to do once a restored store and its files lie complete beside the present ones: renames, each of which can be repeated. */
export type RestorePlan = Readonly<z.infer<typeof planSchema>>;

/** Folder of what a restore prepares. Without a plan in it, it is rubbish of one that was cut off. */
export function stagingFolder(home: Home): string {
  return join(home.root, "restoring");
}

/** The plan of a restore that was cut off between its point of no return and its end. */
export function findUnfinishedRestore(home: Home): RestorePlan | undefined {
  const path = planFile(home);
  return existsSync(path) ? planSchema.parse(JSON.parse(readFileSync(path, "utf8"))) : undefined;
}

/** Stops a daemon or worker whose home is half of one state and half of another. Throws `restore_unfinished`. */
export function requireNoUnfinishedRestore(home: Home): void {
  const plan = findUnfinishedRestore(home);
  if (plan === undefined) return;
  throw new UserError("restore_unfinished", `The restore of ${plan.file} was cut off before its last steps.`, {
    next: `${personCommand(home, "restore")} finishes it`,
  });
}

/** The point of no return: from here on the restore goes forward, whatever happens. */
export function commitPlan(home: Home, plan: RestorePlan): void {
  replaceFile(planFile(home), `${JSON.stringify(plan, null, 2)}\n`);
}

/** Does what is left of a plan. Tells where the old store is now, undefined where there was none. */
export async function carryOut(home: Home, plan: RestorePlan): Promise<{ oldStore: string | undefined }> {
  const place = { dataDir: home.data, databaseUrl: plan.databaseUrl };
  const oldStore = await useStagedStore(place, plan.aside);
  for (const { from, to, aside } of plan.moves) {
    const isDone = from === null ? !existsSync(to) : !existsSync(from);
    if (isDone) continue;
    if (existsSync(to)) move(to, aside);
    if (from !== null) move(from, to);
  }
  replaceFile(home.storeKind, `${plan.store}\n`);
  rmSync(planFile(home));
  rmSync(stagingFolder(home), { recursive: true, force: true });
  return { oldStore };
}

/** A rename, or a copy where the two lie on different file systems; the target appears whole. */
function move(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EXDEV")) throw error;
    const draft = `${to}.restoring`;
    rmSync(draft, { recursive: true, force: true });
    cpSync(from, draft, { recursive: true, preserveTimestamps: true });
    renameSync(draft, to);
    rmSync(from, { recursive: true });
  }
  syncFolder(dirname(to));
}

function planFile(home: Home): string {
  return join(stagingFolder(home), "plan.json");
}
