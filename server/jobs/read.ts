import { sql } from "kysely";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { nearestWord } from "../nearest-word.ts";
import { requireBlob } from "../store/blobs.ts";
import type { Db } from "../store/open-store.ts";
import type { JobState, Row, RunState } from "../store/tables.ts";
import { type Diagnostic, diagnosticSchema } from "./diagnostic.ts";
import { unifiedDiff } from "./diff.ts";
import type { JobsDeps } from "./jobs-deps.ts";
import { type Manifest, manifestSchema } from "./manifest.ts";
import type { UsedPackage } from "./package-files.ts";

type Deps = Pick<JobsDeps, "store" | "approvals">;

/** A job as lists show it. */
export type JobOverview = Row<"jobs"> &
  Readonly<{
    /** The approved version that runs. */
    active: number | null;
    /** The version that waits for the person. */
    pending: number | null;
    /** When the scheduler starts it next; null while it is paused or nothing is approved. */
    next_slot: Date | null;
    last_run: Readonly<{ id: number; state: RunState }> | null;
  }>;

/** A version with its JSON columns read. */
export type Version = Omit<Row<"versions">, "manifest" | "packages" | "checks"> &
  Readonly<{ manifest: Manifest; packages: UsedPackage[]; checks: Diagnostic[] }>;

const packagesSchema = z.array(z.object({ name: z.string(), version: z.string(), bytes: z.number() }));
const snapshotSchema = z.object({
  entry: z.string(),
  files: z.record(z.string(), z.object({ hash: z.string(), bytes: z.number() })),
});

/** The job, or undefined. */
export async function findJob(deps: Deps, name: string): Promise<JobOverview | undefined> {
  const row = await deps.store.db.selectFrom("jobs").selectAll().where("name", "=", name).executeTakeFirst();
  return row === undefined ? undefined : (await overviews(deps, [row]))[0];
}

/** The job. Throws `job_not_found`, with the name that was probably meant. */
export async function requireJob(deps: Deps, name: string): Promise<JobOverview> {
  const job = await findJob(deps, name);
  if (job !== undefined) return job;
  throw await jobNotFound(deps.store.db, name);
}

/** Jobs by name, a page at a time; `cursor` is the last name of the page before. */
export async function listJobs(
  deps: Deps,
  { state, limit, cursor }: { state?: JobState | undefined; limit: number; cursor?: string | null | undefined },
): Promise<{ rows: JobOverview[]; cursor: string | null }> {
  let query = deps.store.db
    .selectFrom("jobs")
    .selectAll()
    .orderBy("name")
    .limit(limit + 1);
  if (state !== undefined) query = query.where("state", "=", state);
  if (cursor) query = query.where("name", ">", cursor);
  const rows = await query.execute();
  const page = rows.slice(0, limit);
  return { rows: await overviews(deps, page), cursor: rows.length > limit ? (page.at(-1)?.name ?? null) : null };
}

/** The jobs of these names, in their order; those that there are not are left out. */
export async function overviewsOf(deps: Deps, names: readonly string[]): Promise<JobOverview[]> {
  if (names.length === 0) return [];
  const rows = await deps.store.db.selectFrom("jobs").selectAll().where("name", "in", names).execute();
  const byName = new Map((await overviews(deps, rows)).map((job) => [job.name, job]));
  return names.flatMap((name) => byName.get(name) ?? []);
}

/** Number of the version that is approved and active; null where there is none, or where the chain of decisions is broken. */
export async function activeVersion({ approvals }: Pick<Deps, "approvals">, name: string): Promise<number | null> {
  const { problem } = await approvals.standing();
  return problem === null ? ((await approvals.active(name))?.version ?? null) : null;
}

/** A version by number, the newest where none is named. Throws `job_not_found`, `version_not_found`. */
export async function requireVersion(db: Db, job: string, number?: number): Promise<Version> {
  const query = db.selectFrom("versions").selectAll().where("job", "=", job);
  const row = await (number === undefined
    ? query.orderBy("number", "desc").limit(1)
    : query.where("number", "=", number)
  ).executeTakeFirst();
  if (row !== undefined) return parseVersion(row);
  const known = await db.selectFrom("jobs").select("name").where("name", "=", job).executeTakeFirst();
  if (known === undefined) throw await jobNotFound(db, job);
  const which = number === undefined ? "no version yet" : `no v${number}`;
  throw new UserError("version_not_found", `The job "${job}" has ${which}.`, {
    next: `job_read {"name": "${job}", "part": "versions"}`,
  });
}

/** Every version of a job, latest first. */
export async function listVersions(db: Db, job: string): Promise<Version[]> {
  const rows = await db.selectFrom("versions").selectAll().where("job", "=", job).orderBy("number", "desc").execute();
  if (rows.length === 0) await requireVersion(db, job);
  return rows.map(parseVersion);
}

/** The source of a version: every file of its snapshot as text, by path, the entry first. */
export async function versionFiles(db: Db, job: string, number: number): Promise<Map<string, string>> {
  const { snapshot } = await requireVersion(db, job, number);
  const { entry, files } = snapshotSchema.parse(JSON.parse(snapshot));
  const paths = Object.keys(files).sort((a, b) => (a === entry ? -1 : b === entry ? 1 : a < b ? -1 : 1));
  const texts = new Map<string, string>();
  for (const path of paths)
    texts.set(path, Buffer.from(await requireBlob(db, files[path]?.hash ?? "")).toString("utf8"));
  return texts;
}

/** What differs between the sources of two versions, as a unified diff; "" where nothing does. */
export async function diffVersions(db: Db, job: string, from: number, to: number): Promise<string> {
  return unifiedDiff(await versionFiles(db, job, from), await versionFiles(db, job, to));
}

async function overviews(deps: Deps, rows: readonly Row<"jobs">[]): Promise<JobOverview[]> {
  const names = rows.map(({ name }) => name);
  if (names.length === 0) return [];
  const { db } = deps.store;
  const { rows: found } = await sql<{ name: string; pending: number | null; slot: Date | null } & LastRun>`
    select each.name, pending.number as pending, slots.next_slot as slot, last.id as run, last.state
    from unnest(${names}::text[]) as each (name)
    left join lateral (select max(number) as number from versions where job = each.name and state = 'pending') as pending on true
    left join lateral (select min(next_slot) as next_slot from schedules where job = each.name) as slots on true
    left join lateral (select id, state from runs where job = each.name order by id desc limit 1) as last on true`.execute(
    db,
  );
  const byName = new Map(found.map((row) => [row.name, row]));
  const active = await activeVersions(deps);
  return rows.map((row) => {
    const { pending = null, slot = null, run = null, state = null } = byName.get(row.name) ?? {};
    return {
      ...row,
      active: active.get(row.name) ?? null,
      pending,
      next_slot: row.state === "active" ? slot : null,
      last_run: run === null || state === null ? null : { id: run, state },
    };
  });
}

type LastRun = { run: number; state: RunState } | { run: null; state: null };

/** As `activeVersion`, of every job that has one. */
async function activeVersions({ approvals }: Pick<Deps, "approvals">): Promise<ReadonlyMap<string, number | null>> {
  const { problem } = await approvals.standing();
  const links = problem === null ? await approvals.live() : [];
  return new Map(links.map(({ decision }) => [decision.name, decision.version]));
}

function parseVersion(row: Row<"versions">): Version {
  return {
    ...row,
    manifest: manifestSchema.parse(JSON.parse(row.manifest)),
    packages: packagesSchema.parse(JSON.parse(row.packages)),
    checks: z.array(diagnosticSchema).parse(JSON.parse(row.checks)),
  };
}

async function jobNotFound(db: Db, name: string): Promise<UserError> {
  const rows = await db.selectFrom("jobs").select("name").limit(500).execute();
  const guess = nearestWord(
    name,
    rows.map((row) => row.name),
  );
  const meant = guess === undefined ? "" : ` Did you mean "${guess}"?`;
  return new UserError("job_not_found", `There is no job ${JSON.stringify(name.slice(0, 80))}.${meant}`, {
    next: "job_list",
  });
}
