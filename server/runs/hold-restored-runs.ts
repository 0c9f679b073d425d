import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { type Manifest, manifestSchema } from "../jobs/manifest.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { settle } from "./queue/settle.ts";

type Backup = Readonly<{
  madeAt: Date;
  /** The version that is active by the restored decisions. */
  activeVersion: (job: string) => number | undefined;
}>;

/** What becomes of the runs that were live when the backup was made. */
export type HeldRuns = Readonly<{
  /** Wait for the person's word. */
  asked: readonly number[];
  /** Go on as after a crash. */
  goOn: readonly number[];
}>;

/**
 * Stops runs that a restored store holds as live. What they did after the backup is not on record and would happen again, so each waits
 * as `needs_decision`, unless its manifest says `onUncertain: repeat` or lets it reach nothing outside of the store.
 */
export async function holdRestoredRuns(db: Db, backup: Backup): Promise<HeldRuns> {
  const asked: number[] = [];
  const goOn: number[] = [];
  for await (const run of liveRuns(db)) {
    const harmless = mayGoOn(await findManifest(db, run, backup));
    await inTransaction(db, (trx) => (harmless ? putBack(trx, run) : ask(trx, run, backup)));
    (harmless ? goOn : asked).push(run.id);
  }
  return { asked, goOn };
}

async function* liveRuns(db: Db): AsyncGenerator<Row<"runs">> {
  for (let after = 0; ; ) {
    const page = await db
      .selectFrom("runs")
      .selectAll()
      .where("state", "in", ["queued", "running", "suspended", "needs_decision"])
      .where("id", ">", after)
      .orderBy("id")
      .limit(100)
      .execute();
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.id;
  }
}

/** Puts runs back into the queue whose worker is gone with the store that they come from. */
export async function releaseRuns(db: Db): Promise<void> {
  const live = await db.selectFrom("runs").selectAll().where("state", "=", "running").execute();
  for (const run of live) await inTransaction(db, (trx) => putBack(trx, run));
}

/** Its code may have been anywhere after the backup: what counts is what its signed manifest lets it reach. */
function mayGoOn(manifest: Manifest | undefined): boolean {
  if (manifest === undefined) return false;
  const { net, files, notify, exec, run } = manifest.permissions;
  const outside = [net, files.write, notify, exec, run];
  return manifest.onUncertain === "repeat" || outside.every((granted) => granted.length === 0);
}

async function findManifest(db: Db, run: Row<"runs">, { activeVersion }: Backup): Promise<Manifest | undefined> {
  const number = isBegun(run) ? run.version : activeVersion(run.job);
  if (number === null || number === undefined) return undefined;
  const row = await db
    .selectFrom("versions")
    .select("manifest")
    .where("job", "=", run.job)
    .where("number", "=", number)
    .executeTakeFirst();
  return row === undefined ? undefined : manifestSchema.safeParse(JSON.parse(row.manifest)).data;
}

/** Whether it goes on with an attempt, rather than with a new one. */
function isBegun({ state, resumes }: Row<"runs">): boolean {
  return state !== "queued" || resumes;
}

async function putBack(trx: Db, { id: runId, attempt, lease, lease_owner, state }: Row<"runs">): Promise<void> {
  if (state !== "running") return;
  const message = `its worker ${lease_owner ?? "unknown"} belongs to the store that this one comes from`;
  const error = { reason: "restored", class: "transient", message } as const;
  await settle(trx, { runId, attempt, lease, outcome: { state: "put_back", error }, retry: null });
}

async function ask(trx: Db, run: Row<"runs">, { madeAt }: Backup): Promise<void> {
  const begun = isBegun(run);
  const attempt = begun ? run.attempt : run.attempt + 1;
  const lease = run.lease + 1;
  const done = begun ? "It was under way" : "It was waiting to start";
  const question = `${done} when the backup of ${madeAt.toISOString()} was made. What it has done since is not on record and would happen again.`;
  if (run.state !== "needs_decision") {
    await trx
      .updateTable("runs")
      .set({ state: "running", attempt, lease, resumes: false, lease_owner: "restore", heartbeat_at: sql<Date>`now()` })
      .where("id", "=", run.id)
      .execute();
    // A question belongs to an attempt, also where none has begun.
    await trx
      .insertInto("attempts")
      .values({
        run_id: run.id,
        attempt,
        version: begun ? run.version : null,
        worker: "restore",
        seed: randomBytes(16).toString("hex"),
        start_ms: madeAt.getTime(),
        guest_runtime: null,
        v8: null,
        icu: null,
        state: "running",
        error: null,
        ended_at: null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const choices = ["resume", "fail"];
  await trx
    .insertInto("questions")
    .values({
      run_id: run.id,
      attempt,
      seq: 0,
      kind: "restored",
      question,
      schema: JSON.stringify({ type: "string", enum: choices }),
      choices: JSON.stringify(choices),
      fallback: null,
      asked_at: sql<Date>`now()`,
      deadline: null,
    })
    // Restored for the second time, it is asked anew.
    .onConflict((conflict) =>
      conflict
        .columns(["run_id", "attempt", "seq", "kind"])
        .doUpdateSet({ question, asked_at: sql<Date>`now()`, answer: null, answered_at: null, answered_by: null }),
    )
    .execute();
  if (run.state === "needs_decision") return;
  const error = { reason: "restored", class: "policy", message: question } as const;
  await settle(trx, { runId: run.id, attempt, lease, outcome: { state: "needs_decision", error }, retry: null });
}
