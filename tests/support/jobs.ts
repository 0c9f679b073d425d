import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentsDeps } from "../../server/agents/role-reader.ts";
import { effectServices } from "../../server/daemon/effect-services.ts";
import type { SecretValues } from "../../server/effects/secret-values.ts";
import type { EffectServices } from "../../server/effects/services.ts";
import { homePaths } from "../../server/home.ts";
import type { JobsDeps } from "../../server/jobs/jobs-deps.ts";
import { requireVersion } from "../../server/jobs/read.ts";
import { silentLog } from "../../server/log.ts";
import { createApprovals } from "../../server/review/approvals.ts";
import { createKeyFile, openKey } from "../../server/review/key-file.ts";
import { recordDecision } from "../../server/review/record-decision.ts";
import { signDecision } from "../../server/review/sign.ts";
import { addTrustedKey } from "../../server/review/trusted-keys.ts";
import { claim } from "../../server/runs/queue/claim.ts";
import { enqueue } from "../../server/runs/queue/enqueue.ts";
import { type Settlement, settle } from "../../server/runs/queue/settle.ts";
import { countStarts } from "../../server/runs/too-many-runs.ts";
import { formatRunEvent, type RunEvent } from "../../server/runs/triggers/run-event.ts";
import type { Pool } from "../../server/sandbox/types.ts";
import type { Store } from "../../server/store/open-store.ts";
import { servesAll, testServices } from "./runs.ts";
import { testStore } from "./store.ts";

export type TestJobs = AsyncDisposable &
  Readonly<{
    deps: JobsDeps;
    folder: string;
    /** Signs a version of a job, as its person. */
    approve(name: string, version?: number): Promise<void>;
    /** Runs the approved version once, for real. */
    run(name: string, secrets?: Readonly<Record<string, string>>, input?: unknown): Promise<Settlement>;
    /** Runs it as one of its triggers would. */
    trigger(name: string, event: RunEvent): Promise<Settlement>;
    /** Lets so many milliseconds pass. */
    pass(ms: number): void;
    /** Goes on with the run that is due once so many milliseconds have passed. */
    goOn(afterMs: number, secrets?: Readonly<Record<string, string>>): Promise<Settlement>;
  }>;

/** A store, a person whose key is trusted, and an empty jobs folder of their own, with the given pool. */
export async function testJobs(
  pool: Pool,
  start = new Date("2026-11-01T00:00:00Z"),
  opened: Promise<Store> = testStore(),
  outside: Partial<Pick<EffectServices, "llm" | "notify">> = {},
): Promise<TestJobs> {
  let now = start;
  const root = await realpath(await mkdtemp(join(tmpdir(), "jobrunner-jobs-")));
  const store = await opened;
  const log = silentLog;
  const clock = () => now;
  const home = homePaths({ JOBRUNNER_HOME: join(root, "home") });
  const key = openKey(createKeyFile({ passphrase: null, label: null, now }), "");
  addTrustedKey(home, key.publicKey, now);
  const approvals = await createApprovals({ store, home, log });
  const folder = join(root, "jobs");
  const { llm, notify } = testServices(outside);
  const services = effectServices({ ...agentsDeps({ store, approvals, log }), approvals, home, clock, llm, notify });
  const { db } = store;
  return {
    folder,
    deps: { store, approvals, pool, log, clock, config: { jobsFolder: folder, timezone: "UTC", locale: "en-US" } },
    async approve(name, version) {
      const row = await requireVersion(db, name, version);
      const { head } = await approvals.status();
      const signed = signDecision(key, {
        kind: "job",
        name,
        version: row.number,
        source: row.source_hash,
        bundle: row.bundle_hash,
        manifest: row.manifest_hash,
        compiler: row.compiler,
        runtime: row.runtime,
        decision: "approve",
        time: now.toISOString(),
        previous: head.hash,
      });
      await recordDecision({ store, home, approvals, clock }, signed);
    },
    async run(name, secrets = {}, input = undefined) {
      const json = input === undefined ? null : JSON.stringify(input);
      await enqueue(db, { job: name, trigger: "person", input: json, requestedBy: "person", traceId: "test", now });
      return work(secrets);
    },
    async trigger(name, event) {
      const order = { job: name, trigger: event.kind, event: formatRunEvent(event), requestedBy: "test" };
      await enqueue(db, { ...order, traceId: "test", now });
      return work({});
    },
    pass(ms) {
      now = new Date(now.getTime() + ms);
    },
    goOn(afterMs, secrets = {}) {
      now = new Date(now.getTime() + afterMs);
      return work(secrets);
    },
    async [Symbol.asyncDispose]() {
      await approvals[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };

  async function work(secrets: Readonly<Record<string, string>>): Promise<Settlement> {
    const values: SecretValues = { get: (secret) => secrets[secret], names: () => Object.keys(secrets) };
    const {
      runs: [run],
    } = await claim(db, { worker: "test", limit: 1, now });
    if (run === undefined) throw new Error("no run is due");
    // Loaded only here: most tests of jobs run nothing.
    const { executeRun } = await import("../../server/runs/execute-run.ts");
    const signal = new AbortController().signal;
    const tooManyRuns = countStarts(db);
    const outcome = await executeRun(
      {
        store,
        pool,
        approvals,
        secrets: () => values,
        services,
        log,
        clock,
        worker: "test",
        serving: servesAll,
        tooManyRuns,
      },
      run,
      signal,
    );
    await settle(db, { runId: run.id, attempt: run.attempt, lease: run.lease, outcome, retry: null, now });
    return outcome;
  }
}
