import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { sql } from "kysely";
import { z } from "zod";
import type { Db } from "../../store/open-store.ts";
import type { OwnWrite } from "./file-changes.ts";

/** Runs of the job whose effects are looked at: enough for all that can have run between two looks. */
const lookedAtRuns = 200;
/** The path stands first in the arguments, and is no longer. */
const headBytes = 30_000;
const firstPath = /^\{"path":("(?:[^"\\]|\\.)*")/;

/** What runs of the job did to files since then, in order of their ends, as its journal has it. */
export async function readOwnWrites(db: Db, job: string, since: Date): Promise<OwnWrite[]> {
  const { rows } = await sql<{ op: string; head: string | null; blob: Uint8Array | null; from: Date; until: Date }>`
    select j.op, left(j.args, ${headBytes}) as head, substring(b.bytes from 1 for ${headBytes}) as blob,
      j.started_at as from, coalesce(j.ended_at, now()) as until
    from journal j left join blobs b on b.hash = j.args_hash
    where j.run_id in (select id from runs where job = ${job} order by id desc limit ${lookedAtRuns})
      and j.op in ('files.write', 'files.delete') and j.outcome is distinct from 'error'
      and coalesce(j.ended_at, now()) >= ${since}::timestamptz
    order by until`.execute(db);
  return rows.flatMap(({ op, head, blob, from, until }) => {
    const path = pathIn(head ?? (blob === null ? "" : Buffer.from(blob).toString("utf8")));
    if (path === undefined) return [];
    const what = op === "files.delete" ? "delete" : "write";
    return [{ path, op: what, fromMs: from.getTime(), untilMs: until.getTime() } as const];
  });
}

function pathIn(args: string): string | undefined {
  const written = firstPath.exec(args)?.[1];
  const path = written === undefined ? undefined : z.string().safeParse(JSON.parse(written)).data;
  if (path === undefined) return undefined;
  return path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : resolve(path);
}
