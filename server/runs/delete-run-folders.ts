import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Db } from "../store/open-store.ts";

/** Deletes the folders of runs that are not on record any more. */
export async function deleteRunFolders(db: Db, runsFolder: string): Promise<void> {
  const names = await readdir(runsFolder).catch(() => []);
  const ids = names.flatMap((name) => /^R(\d{1,15})$/.exec(name)?.[1] ?? []).map(Number);
  for (let at = 0; at < ids.length; at += 500) {
    const some = ids.slice(at, at + 500);
    const kept = await db.selectFrom("runs").select("id").where("id", "in", some).execute();
    const known = new Set(kept.map(({ id }) => id));
    for (const id of some.filter((each) => !known.has(each))) {
      await rm(join(runsFolder, `R${id}`), { recursive: true, force: true });
    }
  }
}
