import { sql } from "kysely";
import { messageOf, UserError } from "../../errors.ts";
import type { Manifest } from "../../jobs/manifest.ts";
import type { Log } from "../../log.ts";
import type { Approvals, Standing } from "../../review/approvals.ts";
import type { Link } from "../../review/chain.ts";
import type { Store } from "../../store/open-store.ts";
import type { Except } from "../queue/claim.ts";
import { createWake } from "../wake.ts";
import { findRuntime, type RuntimeVersions } from "./find-runtime.ts";
import { isOfRelease, type Means, type Need, type Unserved, unmetLabels, unmetNeeds } from "./needs.ts";
import { hasOtherWorkers, listWorkers } from "./read-workers.ts";
import { createSignedManifests } from "./signed-manifests.ts";
import { type WorkerSelf, workersChannel } from "./worker-self.ts";

/** What this worker leaves to others. */
export type Serving = AsyncDisposable &
  Readonly<{
    /** Jobs that it does not claim; null where it claims nothing at all. */
    except(): Omit<Except, "runs"> | null;
    /** What a run needs and this worker lacks, asked when the run is about to start: by its manifest, or by what the approvals here have thrown. */
    unmet(job: string, found: Manifest | UserError): Promise<readonly Need[]>;
    /** Another worker that lives, serves the job and can go on with a journal of these versions. */
    elsewhere(job: string, versions: RuntimeVersions): Promise<string | undefined>;
    /** What the others are told. */
    report(): Readonly<{ problem: string | null; unserved: Unserved }>;
  }>;

type Deps = Readonly<{
  store: Store;
  approvals: Pick<Approvals, "live" | "standing" | "onChange">;
  self: WorkerSelf;
  /** What it has to offer now; secrets are read once per call. */
  means: () => Means;
  /** What to do where no key is trusted here. */
  trustHint: string;
  log: Log;
}>;

type State = Readonly<{
  problem: string | null;
  unserved: Map<string, readonly Need[]>;
  held: Omit<Except, "runs">;
}>;

const everyMs = 10_000;

/**
 * Keeps what this worker cannot serve: looked at when a decision or a worker comes, and every 10 s. On a machine alone only labels
 * hold a run back, since nobody else could serve it: what else it lacks is told by the run's error.
 */
export async function createServing(deps: Deps): Promise<Serving> {
  const { store, approvals, self, log } = deps;
  const manifestsOf = createSignedManifests(store.db);
  const wake = createWake();
  let state: State = { problem: null, unserved: new Map(), held: { jobs: [], fresh: [] } };
  let shared = false;
  let stopped = false;

  const isShared = async () => store.kind === "postgres" && (await hasOtherWorkers(store.db, self));

  function problemOf({ setUp, problem }: Standing): string | null {
    // A daemon alone tells of these by itself, and refuses each run, which alerts.
    if (!shared && self.role === "daemon") return null;
    return setUp ? problem : `it trusts no key. ${deps.trustHint}`;
  }

  async function look(): Promise<void> {
    shared = await isShared();
    const standing = await approvals.standing();
    const means = deps.means();
    const unserved = new Map<string, readonly Need[]>();
    const live = await approvals.live();
    for (const [job, manifest] of await manifestsOf(live)) {
      const needs = manifest === "newer" ? (shared ? [newerRelease] : []) : await unmetBy(manifest, means);
      if (needs.length > 0) unserved.set(job, needs);
    }
    if (shared) {
      for (const [job, need] of await betterElsewhere(live)) if (!unserved.has(job)) unserved.set(job, [need]);
      for (const job of standing.strangers) unserved.set(job, [untrusted]);
    }
    for (const job of await retired([...unserved.keys()])) unserved.delete(job);
    const problem = problemOf(standing);
    if (problem !== state.problem) {
      if (problem === null) log.info("this worker takes runs again");
      else log.error(`this worker takes no runs: ${problem}`);
    }
    const held = Object.groupBy(unserved, ([, needs]) => (needs.every(isOfRelease) ? "fresh" : "jobs"));
    const names = (some: readonly (readonly [string, unknown])[] = []) => some.map(([job]) => job);
    state = { problem, unserved, held: { jobs: names(held.jobs), fresh: names(held.fresh) } };
  }

  const unmetBy = async (manifest: Manifest, means: Means) =>
    shared ? unmetNeeds(manifest, means) : unmetLabels(manifest, means);

  /** Jobs that were compiled for a guest runtime which this worker does not have and another one has: a newer one, as a rule. */
  async function betterElsewhere(live: readonly Link[]): Promise<Map<string, Need>> {
    const foreign = live.flatMap(({ decision: { name, runtime } }) =>
      runtime === null || self.guestRuntimes.includes(runtime) ? [] : [{ name, runtime }],
    );
    if (foreign.length === 0) return new Map();
    const there = (await listWorkers(store)).filter(
      ({ name, alive, state, problem }) => name !== self.name && alive && state === "active" && problem === null,
    );
    return new Map(
      foreign.flatMap(({ name, runtime }) =>
        there.some((worker) => worker.guest_runtimes.includes(runtime) && worker.unserved[name] === undefined)
          ? [[name, { kind: "runtime", name: runtime.slice(0, 14) }]]
          : [],
      ),
    );
  }

  async function retired(jobs: string[]): Promise<string[]> {
    if (jobs.length === 0) return [];
    const some = sql<boolean>`name = any(${jobs}::text[])`;
    const rows = await store.db.selectFrom("jobs").select("name").where(some).where("state", "=", "retired").execute();
    return rows.map(({ name }) => name);
  }

  async function loop(): Promise<void> {
    for (let failing = false; !stopped; ) {
      await wake.wait(everyMs);
      if (stopped) return;
      try {
        await look();
        failing = false;
      } catch (thrown) {
        if (!failing) log.warn({ err: thrown }, `what this worker can serve is not looked at: ${messageOf(thrown)}`);
        failing = true;
      }
    }
  }

  await look();
  const stopFollowing = approvals.onChange(() => wake.ring());
  const stopListening = await store.listen(workersChannel, () => wake.ring());
  const looking = loop();

  return {
    except: () => (state.problem === null ? state.held : null),
    async unmet(job, found) {
      if (!(found instanceof UserError)) return unmetBy(found, deps.means());
      shared = await isShared();
      if (found.code === "version_newer") return shared ? [newerRelease] : [];
      const standing = await approvals.standing();
      return problemOf(standing) !== null || (shared && standing.strangers.has(job)) ? [untrusted] : [];
    },
    elsewhere: (job, versions) => findRuntime(store, self, { ...versions, job }),
    report: () => ({ problem: state.problem, unserved: Object.fromEntries(state.unserved) }),
    async [Symbol.asyncDispose]() {
      stopped = true;
      stopFollowing();
      await stopListening();
      wake.ring();
      await looking;
    },
  };
}

const newerRelease: Need = { kind: "release", name: "" };
const untrusted: Need = { kind: "approval", name: "" };
