import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sql } from "kysely";
import { syncFolder } from "../private-file.ts";
import { formatRunId } from "../runs/run-id.ts";
import type { Db } from "../store/open-store.ts";
import { type ArchiveWriter, writeArchive } from "./archive-writer.ts";
import { type ArchivedList, archiveFileName, listName } from "./run-archive-format.ts";
import { walkFiles } from "./walk-files.ts";

export type ArchiveOptions = Readonly<{ folder: string; runsFolder: string; clock: () => Date }>;

/**
 * Writes all that is on record of these runs into one file below `folder`: their rows, attempts, logs, effects, questions and
 * artifacts. It is on disk when this resolves; where anything fails there is no such file.
 */
export async function archiveRuns(db: Db, ids: readonly number[], options: ArchiveOptions): Promise<void> {
  const { folder, runsFolder, clock } = options;
  const { rows: listed } = await sql<ArchivedList[number]>`
    select id, job, state, finished_at from runs where id = any(${ids}::bigint[]) order by id`.execute(db);
  const [first, last] = [listed.at(0), listed.at(-1)];
  if (first === undefined || last === undefined) return;
  const at = clock();
  const month = join(folder, at.toISOString().slice(0, 7));
  await mkdir(month, { recursive: true, mode: 0o700 });
  // A file in a folder that power loss takes away is not kept.
  for (const parent of [folder, dirname(folder)]) syncFolder(parent);
  const seen = new Set<string>();
  const fill = async (archive: ArchiveWriter) => {
    await archive.add(listName, Buffer.from(JSON.stringify(listed)));
    for (const { id } of listed) {
      const run = formatRunId(id);
      await archive.add(`${run}.json`, Buffer.from(await readRecord(db, id)));
      for (const path of await walkFiles(join(runsFolder, run), () => false))
        await archive.addFile(`runs/${run}/${path}`, join(runsFolder, run, path));
      await addContents(db, id, seen, archive);
    }
  };
  await writeArchive(join(month, archiveFileName(first.id, last.id, at)), fill, new AbortController().signal);
}

/** JSON of everything that belongs to a run; contents that are stored apart stand there by their hash. */
async function readRecord(db: Db, id: number): Promise<string> {
  const each = (table: string, order: string) => sql`(
    select coalesce(json_agg(to_jsonb(each) - 'run_id' order by ${sql.raw(order)}), '[]')
    from ${sql.table(table)} as each where each.run_id = runs.id)`;
  const { rows } = await sql<{ record: string }>`
    select json_build_object(
      'run', to_jsonb(runs),
      'event', (select event::json from run_events where run_id = runs.id),
      'attempts', ${each("attempts", "attempt")},
      'log', ${each("run_logs", "attempt, n")},
      'effects', ${each("journal", "attempt, seq")},
      'questions', ${each("questions", "attempt, seq")},
      'artifacts', ${each("artifacts", "name")}
    )::text as record from runs where id = ${id}`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error(`${formatRunId(id)} went away while it was archived`);
  return row.record;
}

/** Arguments and results that are too large for the journal's rows, each once per file. */
async function addContents(db: Db, id: number, seen: Set<string>, archive: ArchiveWriter): Promise<void> {
  const { rows } = await sql<{ hash: string }>`
    select args_hash as hash from journal where run_id = ${id} and args_hash is not null
    union select result_hash from journal where run_id = ${id} and result_hash is not null`.execute(db);
  for (const { hash } of rows) {
    if (seen.has(hash)) continue;
    seen.add(hash);
    const blob = await db.selectFrom("blobs").select("bytes").where("hash", "=", hash).executeTakeFirst();
    if (blob !== undefined) await archive.add(`content/${hash.replace("sha256:", "")}`, Buffer.from(blob.bytes));
  }
}
