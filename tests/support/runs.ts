import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson } from "../../server/canonical-json.ts";
import type { EffectServices } from "../../server/effects/services.ts";
import type { FrozenSchedule, Manifest } from "../../server/jobs/manifest.ts";
import type { Serving } from "../../server/runs/workers/serving.ts";
import { sha256 } from "../../server/sha256.ts";
import type { Db } from "../../server/store/open-store.ts";
import type { Row } from "../../server/store/tables.ts";

/** A manifest for tests, with what they change. */
export function testManifest(more: Partial<Manifest> = {}): Manifest {
  return {
    description: "a test",
    schedules: [],
    triggers: { after: [], files: [], webhook: false },
    runsOn: [],
    priority: 0,
    permissions: testPermissions(),
    limits: {
      timeoutMs: 1_000,
      cpuMs: 1_000,
      memoryMb: 32,
      logBytes: 1_000,
      effects: 10,
      inFlight: 64,
      requestBytes: 1_000_000,
      responseBytes: 1_000,
      journalBytes: 1_000_000,
      artifactBytes: 1_000_000,
      runsPerHour: 1_000,
    },
    retry: { attempts: 1, backoff: "fixed", delayMs: 0, maxDelayMs: 0 },
    onUncertain: "ask",
    callers: ["schedule", "person", "host", "job", "agent"],
    input: null,
    timezone: "UTC",
    locale: "en-US",
    ...more,
  };
}

/** Permissions for tests: none, with what they change. */
export function testPermissions(more: Partial<Manifest["permissions"]> = {}): Manifest["permissions"] {
  return {
    net: [],
    secrets: {},
    files: { read: [], write: [] },
    llm: [],
    notify: [],
    exec: [],
    run: [],
    tasks: null,
    agents: [],
    ...more,
  };
}

/** A schedule for tests: every minute, in UTC, with what they change. */
export function testSchedule(more: Partial<FrozenSchedule> = {}): FrozenSchedule {
  return {
    key: "main",
    cron: "* * * * *",
    timezone: "UTC",
    catchUp: "latest",
    catchUpMax: 10,
    overlap: "skip",
    startDeadlineMs: null,
    jitterMs: 0,
    ...more,
  };
}

/** Stores a job for tests with version 1, whose manifest has the given parts. */
export async function addJob(
  db: Db,
  name: string,
  { state = "active", ...manifest }: Partial<Manifest> & { state?: Row<"jobs">["state"] } = {},
): Promise<void> {
  const hash = sha256("");
  const text = canonicalJson(testManifest(manifest));
  await db
    .insertInto("blobs")
    .values({ hash, bytes: Buffer.alloc(0) })
    .onConflict((c) => c.doNothing())
    .execute();
  await db
    .insertInto("jobs")
    .values({
      name,
      state,
      paused_by: state === "paused" ? "agent" : null,
      paused_reason: null,
      paused_at: null,
      path: `${name}.ts`,
    })
    .execute();
  await db
    .insertInto("versions")
    .values({
      job: name,
      number: 1,
      state: "approved",
      source_hash: hash,
      bundle_hash: hash,
      manifest_hash: sha256(text),
      source_map_hash: null,
      manifest: text,
      snapshot: "{}",
      packages: "[]",
      checks: "[]",
      compiler: "test",
      runtime: "test",
      proposed_by: "test",
      note: null,
      rejected_note: null,
    })
    .execute();
}

/** Stores the attempt that a claimed run is at, as its executor does when it begins. */
export async function addAttempt(db: Db, run: Row<"runs">, version: number): Promise<void> {
  await db
    .insertInto("attempts")
    .values({
      run_id: run.id,
      attempt: run.attempt,
      version,
      worker: run.lease_owner ?? "",
      seed: "0".repeat(32),
      start_ms: 0,
      guest_runtime: null,
      v8: null,
      icu: null,
      state: "running",
      error: null,
      ended_at: null,
    })
    .execute();
}

/** A worker that serves everything. */
export const servesAll: Pick<Serving, "unmet" | "elsewhere"> = {
  unmet: async () => [],
  elsewhere: async () => undefined,
};

/** Services of which a test needs none, with those that it does. */
export function testServices(more: Partial<EffectServices> = {}): EffectServices {
  const none = async () => {
    throw new Error("this test has no such service");
  };
  return {
    llm: none,
    notify: none,
    startRun: none,
    awaitRun: none,
    startAgent: none,
    awaitAgent: none,
    openQuestion: none,
    awaitAnswer: none,
    tasks: { create: none, list: none, find: none, update: none, complete: none },
    runFolder: (runId) => join(tmpdir(), `jobrunner-no-run-${runId}`),
    homeFolder: join(tmpdir(), "jobrunner-no-home"),
    ...more,
  };
}
