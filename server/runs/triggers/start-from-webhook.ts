import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { UserError } from "../../errors.ts";
import type { Manifest } from "../../jobs/manifest.ts";
import { sha256 } from "../../sha256.ts";
import type { Row } from "../../store/tables.ts";
import { concurrencyOf } from "../concurrency-of.ts";
import type { ControlDeps } from "../control.ts";
import { enqueue } from "../queue/enqueue.ts";
import { formatRunEvent, type RunEvent } from "./run-event.ts";
import { isWebhookToken } from "./webhooks.ts";

/** The signed manifest of a job that this address starts; undefined for every address that starts nothing. */
export async function findHookedJob(
  { store, approvals }: Pick<ControlDeps, "store" | "approvals">,
  { job, token }: Readonly<{ job: string; token: string }>,
): Promise<Manifest | undefined> {
  if (!(await isWebhookToken(store.db, job, token))) return undefined;
  try {
    const manifest = await approvals.requireManifest(job);
    return manifest.triggers.webhook ? manifest : undefined;
  } catch (thrown) {
    if (thrown instanceof UserError) return undefined;
    throw thrown;
  }
}

export type HookOutcome = Readonly<
  { outcome: "started"; run: Row<"runs">; created: boolean } | { outcome: "paused" | "too_many" | "gone" }
>;

/**
 * Starts a run for what came in at a job's secret address. The same delivery brings back the same run. More than the manifest's runs
 * in an hour are not taken.
 */
export async function startFromWebhook(
  { store, log }: Pick<ControlDeps, "store" | "log">,
  {
    job,
    manifest,
    event,
    delivery,
  }: Readonly<{ job: string; manifest: Manifest; event: RunEvent; delivery: string | undefined }>,
): Promise<HookOutcome> {
  const { db } = store;
  const dedupeKey = delivery === undefined ? undefined : `webhook:${sha256(delivery)}`;
  if (dedupeKey !== undefined) {
    const known = db.selectFrom("runs").selectAll().where("job", "=", job).where("dedupe_key", "=", dedupeKey);
    const run = await known.executeTakeFirst();
    if (run !== undefined) return { outcome: "started", run, created: false };
  }
  const state = await db.selectFrom("jobs").select("state").where("name", "=", job).executeTakeFirst();
  if (state === undefined || state.state === "retired") return { outcome: "gone" };
  if (state.state === "paused") return { outcome: "paused" };
  const earlier = await db
    .selectFrom("runs")
    .select(sql<boolean>`created_at > now() - interval '1 hour'`.as("recent"))
    .where("job", "=", job)
    .orderBy("id", "desc")
    .offset(manifest.limits.runsPerHour - 1)
    .limit(1)
    .executeTakeFirst();
  if (earlier?.recent === true) return { outcome: "too_many" };
  const traceId = randomUUID();
  const { run, created } = await enqueue(db, {
    job,
    trigger: "webhook",
    dedupeKey,
    priority: manifest.priority,
    concurrency: concurrencyOf(manifest),
    event: formatRunEvent(event),
    requestedBy: "webhook",
    traceId,
  });
  await db.updateTable("webhooks").set({ used_at: sql<Date>`now()` }).where("job", "=", job).execute();
  log.info({ run: run.id, job, created, trace: traceId }, "run requested by its webhook");
  return { outcome: "started", run, created };
}
