import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { z } from "zod";
import { isWithin } from "../../jobs/freeze-path.ts";
import type { Manifest } from "../../jobs/manifest.ts";
import { inTransaction } from "../../store/in-transaction.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { raiseAlert, resolveAlert } from "../alerts.ts";
import { concurrencyOf } from "../concurrency-of.ts";
import { enqueue } from "../queue/enqueue.ts";
import { applyChanges, findChanges, isOwn } from "./file-changes.ts";
import { readOwnWrites } from "./own-writes.ts";
import { formatRunEvent } from "./run-event.ts";
import type { FileMarks, Scan } from "./scan-files.ts";

export type WatchedJob = Readonly<{ job: string; host: string; manifest: Manifest }>;

/** Most runs that changed files start of one job within an hour; what changes meanwhile is gathered for the next one. */
export const mostFileRunsPerHour = 60;
const listedChanges = 1_000;
/** A file may have been written between the look at it and the note of that. */
const lookBackMs = 60_000;
const marksSchema = z.record(z.string(), z.string());

/** The alert of a job whose files are not, or not at once, what starts it. */
export function filesAlertKey(job: string): string {
  return `job:${job}:files`;
}

/** What was last seen of the job's files on this host; undefined where nothing was, or other paths were watched. */
export async function readMarks(db: Db, { job, host, manifest }: WatchedJob): Promise<FileMarks | undefined> {
  const row = await findWatch(db, { job, host });
  if (row === undefined || row.roots !== rootsText(manifest)) return undefined;
  return marksOf(row);
}

/**
 * Takes files as they are for known: those of paths that were not watched before. What is known of the others stays, so that what
 * changed there is still found.
 */
export async function rememberFiles(
  db: Db,
  { job, host, manifest }: WatchedJob,
  { scan, now }: Readonly<{ scan: Scan; now: Date }>,
): Promise<void> {
  const roots = rootsText(manifest);
  await inTransaction(db, async (trx) => {
    const row = await findWatch(trx, { job, host }, true);
    const before = row === undefined ? new Map<string, string>() : marksOf(row);
    const known = row === undefined ? [] : z.array(z.string()).parse(JSON.parse(row.roots));
    const kept = known.filter((root) => manifest.triggers.files.includes(root));
    const isKept = (path: string) => kept.some((root) => isWithin(path, root));
    const marks = new Map([
      ...[...scan.marks].filter(([path]) => !isKept(path)),
      ...[...before].filter(([path]) => isKept(path)),
    ]);
    const seen = { roots, files: marksText(marks) };
    await trx
      .insertInto("file_watches")
      .values({ job, host, seen_at: now, ...seen })
      .onConflict((conflict) => conflict.columns(["job", "host"]).doUpdateSet(seen))
      .execute();
  });
}

/**
 * Why changed files start no run of the job just now; undefined where they may. While a run goes on its own writes are not all on
 * record, and while one waits it may as well take all changes.
 */
export async function whyHeld(
  db: Db,
  { job, manifest }: Pick<WatchedJob, "job" | "manifest">,
): Promise<"paused" | "busy" | "limit" | undefined> {
  const most = Math.min(mostFileRunsPerHour, manifest.limits.runsPerHour);
  const { rows } = await sql<{ active: boolean; busy: boolean; recent: boolean | null }>`
    select
      exists (select 1 from jobs where name = ${job} and state = 'active') as active,
      exists (select 1 from runs where job = ${job} and state = 'running')
        or exists (select 1 from runs where job = ${job} and trigger = 'files' and state = 'queued') as busy,
      (select created_at > now() - interval '1 hour' from runs where job = ${job} and trigger = 'files'
        order by id desc offset ${most - 1} limit 1) as recent`.execute(db);
  const [row] = rows;
  if (row === undefined || !row.active) return "paused";
  if (row.busy) return "busy";
  return row.recent === true ? "limit" : undefined;
}

/**
 * Starts one run for everything that has changed and stands still, unless another daemon of this host has done so, and remembers it
 * in the same transaction. What the job itself wrote is remembered without a run. Undefined where no run was started.
 */
export async function startFromFiles(
  db: Db,
  watched: WatchedJob,
  { scan, moving, now }: Readonly<{ scan: Scan; moving: ReadonlySet<string>; now: Date }>,
): Promise<Row<"runs"> | undefined> {
  const { job, host, manifest } = watched;
  return inTransaction(db, async (trx) => {
    const row = await findWatch(trx, watched, true);
    if (row === undefined || row.roots !== rootsText(manifest)) return undefined;
    const before = marksOf(row);
    const changes = findChanges(before, scan).filter(({ path }) => !moving.has(path));
    if (changes.length === 0) return undefined;
    const writes = await readOwnWrites(trx, job, new Date(row.seen_at.getTime() - lookBackMs));
    const news = changes.filter((change) => !isOwn(change, scan.marks, writes));
    // Asked within the lock, so that two daemons of one host do not both start one.
    const held = news.length > 0 && (await whyHeld(trx, watched)) !== undefined;
    const done = held ? changes.filter((change) => !news.includes(change)) : changes;
    // Not moved on while news wait: what the job has written before still has to be known as its own.
    const seen = held || moving.size > 0 ? {} : { seen_at: now };
    await trx
      .updateTable("file_watches")
      .set({ files: marksText(applyChanges(before, scan.marks, done)), ...seen })
      .where("job", "=", job)
      .where("host", "=", host)
      .execute();
    if (held || news.length === 0) return undefined;
    await resolveAlert(trx, { key: filesAlertKey(job) });
    const { run } = await enqueue(trx, {
      job,
      trigger: "files",
      priority: manifest.priority,
      concurrency: concurrencyOf(manifest),
      event: formatRunEvent({
        kind: "files",
        changes: news.slice(0, listedChanges),
        more: Math.max(0, news.length - listedChanges),
      }),
      requestedBy: `files on ${host}`,
      traceId: randomUUID(),
    });
    return run;
  });
}

/** Tells that files change faster than the job may run. */
export function tellFilesHeld(db: Db, { job }: Pick<WatchedJob, "job">): Promise<void> {
  const message = `files change so often that ${job} has reached its runs of an hour; what changes is gathered, and started later`;
  return raiseAlert(db, { key: filesAlertKey(job), message });
}

function findWatch(db: Db, { job, host }: Pick<WatchedJob, "job" | "host">, lock = false) {
  const query = db.selectFrom("file_watches").selectAll().where("job", "=", job).where("host", "=", host);
  return (lock ? query.forUpdate() : query).executeTakeFirst();
}

function rootsText(manifest: Manifest): string {
  return JSON.stringify(manifest.triggers.files);
}

function marksText(marks: FileMarks): string {
  return JSON.stringify(Object.fromEntries([...marks].sort(([a], [b]) => (a < b ? -1 : 1))));
}

function marksOf({ files }: Pick<Row<"file_watches">, "files">): FileMarks {
  return new Map(Object.entries(marksSchema.parse(JSON.parse(files))));
}
