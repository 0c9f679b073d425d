import { canonicalJson } from "../../canonical-json.ts";
import { UserError } from "../../errors.ts";
import type { Manifest } from "../../jobs/manifest.ts";
import type { Log } from "../../log.ts";
import type { Approvals } from "../../review/approvals.ts";
import type { Store } from "../../store/open-store.ts";
import type { Serving } from "../workers/serving.ts";
import { type JobFilesWatch, type WatchTimes, watchJobFiles } from "./watch-job-files.ts";

export type FileTriggersOptions = Readonly<{
  store: Store;
  approvals: Pick<Approvals, "active" | "requireRunnable" | "onChange">;
  serving: Pick<Serving, "unmet">;
  /** Names this machine, whose files are remembered apart from those of others. */
  host: string;
  log: Log;
  clock: () => Date;
  times?: WatchTimes;
}>;

const usualTimes: WatchTimes = { quietMs: 500, patienceMs: 30_000, pollMs: 60_000, heldMs: 2_000 };

/** Watches the files of every approved job that waits for some, until it is disposed. */
export function startFileTriggers(options: FileTriggersOptions): AsyncDisposable {
  const { store, approvals, serving, host, log, clock, times = usualTimes } = options;
  const { db } = store;
  const watches = new Map<string, Readonly<{ spec: string; watch: JobFilesWatch }>>();
  let stopped = false;

  async function follow(job: string): Promise<void> {
    const manifest = await findManifest(job);
    const files = manifest?.triggers.files ?? [];
    const spec = manifest === undefined || files.length === 0 ? "" : canonicalJson(manifest);
    const old = watches.get(job);
    if (stopped || old?.spec === spec) return;
    watches.delete(job);
    await old?.watch[Symbol.asyncDispose]();
    if (spec === "" || manifest === undefined) return;
    const isServed = async () => (await serving.unmet(job, manifest)).length === 0;
    watches.set(job, { spec, watch: watchJobFiles({ db, log, clock, times, isServed }, { job, host, manifest }) });
  }

  /** Undefined where nothing of the job may run. */
  async function findManifest(job: string): Promise<Manifest | undefined> {
    try {
      const row = await db.selectFrom("jobs").select("state").where("name", "=", job).executeTakeFirst();
      if (row === undefined || row.state === "retired" || (await approvals.active(job)) === undefined) return undefined;
      return (await approvals.requireRunnable(job)).manifest;
    } catch (thrown) {
      if (thrown instanceof UserError) return undefined;
      throw thrown;
    }
  }

  async function followAll(): Promise<void> {
    const jobs = await db.selectFrom("jobs").select("name").orderBy("name").execute();
    for (const { name } of jobs) if (!stopped) await follow(name);
  }

  // One at a time and in order, so that an older decision cannot overwrite a newer one.
  let work = followAll().catch((thrown: unknown) => log.error({ err: thrown }, "files of jobs are not watched"));
  const followLater = (job: string) => {
    work = work
      .then(() => follow(job))
      .catch((thrown: unknown) => log.error({ err: thrown, job }, "the files of a job are not watched"));
  };
  const stopFollowing = approvals.onChange(followLater);
  // A pause was lifted, or the job was retired.
  const listening = store
    .listen("jobs", (job) => {
      watches.get(job)?.watch.ring();
      if (watches.has(job)) followLater(job);
    })
    .catch(() => async () => {});

  return {
    async [Symbol.asyncDispose]() {
      stopped = true;
      stopFollowing();
      await (await listening)();
      await work;
      for (const { watch } of watches.values()) await watch[Symbol.asyncDispose]();
    },
  };
}
