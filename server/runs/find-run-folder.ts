import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Db } from "../store/open-store.ts";
import { formatRunId } from "./run-id.ts";

/** Where a run's artifacts lie: on this machine where `host` is null, else on the one where its last attempt ran. */
export type RunFolder = Readonly<{ folder: string; host: string | null }>;

/** The folder of a run, by what is here and by what the worker of its last attempt has told of itself. */
export async function findRunFolder(db: Db, runId: number, runsFolder: string): Promise<RunFolder> {
  const name = formatRunId(runId);
  const here = { folder: join(runsFolder, name), host: null };
  if (existsSync(here.folder)) return here;
  const last = await db
    .selectFrom("attempts")
    .leftJoin("workers", "workers.name", "attempts.worker")
    .select(["attempts.worker", "workers.host", "workers.home"])
    .where("run_id", "=", runId)
    .orderBy("attempt", "desc")
    .limit(1)
    .executeTakeFirst();
  if (last === undefined) return here;
  if (last.home !== null && last.host !== null) return { folder: join(last.home, "runs", name), host: last.host };
  // A worker that is forgotten has left its name alone, which begins with its host's.
  return { folder: join("runs", name), host: last.worker.split(":")[0] ?? last.worker };
}
