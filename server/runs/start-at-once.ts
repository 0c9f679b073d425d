import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { type AttemptStart, beginAttempt } from "./begin-attempt.ts";
import { type Enqueued, enqueue, type NewRun } from "./queue/enqueue.ts";
import { place } from "./queue/place.ts";
import { concurrencyOf } from "./queue/run-values.ts";

/** Something else had to start first: the run waits in the queue, and whatever was made ready for it is dropped. */
export class NotNext extends Error {}

/** A run that goes into the queue in the commit that begins it. Its executor has to call `begin` before it does anything. */
export type AtOnce = Readonly<{
  /** As it will stand in the queue, under lease 1. */
  run: Row<"runs">;
  begin(start: AttemptStart): Promise<void>;
  /** For whoever asked for the run. */
  enqueued: Promise<Enqueued>;
  /** Whether its row is there. */
  isPlaced(): boolean;
  /** Puts it into the queue where nobody has yet; false where it does not run here. */
  finish(): Promise<boolean>;
}>;

/** A runner that is not warm takes longer; whoever asks is not kept waiting for it. */
const longestMs = 20;

/** Prepares to place a run under the number that `findPlace` gave. */
export function startAtOnce(options: {
  store: Store;
  worker: string;
  id: number;
  request: NewRun;
  /** Called once the run is claimed. */
  onPlaced(run: Row<"runs">): void;
}): AtOnce {
  const { store, worker, id, request } = options;
  const { db } = store;
  const run = draft(id, request, worker);
  const enqueued = Promise.withResolvers<Enqueued>();
  // Whoever asked hears of it.
  enqueued.promise.catch(() => {});
  let placing: Promise<boolean> | undefined;
  let placed = false;

  async function put(start: AttemptStart | null): Promise<boolean> {
    try {
      const row = await place(db, { id, request, worker, start, alone: store.kind === "pglite" });
      if (row?.state === "running") {
        placed = true;
        options.onPlaced(row);
      }
      enqueued.resolve(row === undefined ? await enqueue(db, request) : { run: row, created: true });
      return placed;
    } catch (thrown) {
      enqueued.reject(thrown);
      throw thrown;
    }
  }

  const timer = setTimeout(() => {
    placing ??= put(null);
    placing.catch(() => {});
  }, longestMs);

  return {
    run,
    enqueued: enqueued.promise,
    isPlaced: () => placed,
    async begin(start) {
      clearTimeout(timer);
      const isFirst = placing === undefined;
      placing ??= put(start);
      if (!(await placing)) throw new NotNext(`run ${id} has to wait`);
      if (!isFirst) await beginAttempt(db, run, worker, start);
    },
    async finish() {
      clearTimeout(timer);
      if (placing !== undefined) return placing;
      placing = Promise.resolve(false);
      await enqueue(db, request).then(enqueued.resolve, enqueued.reject);
      return false;
    },
  };
}

/** What `place` will write. */
function draft(id: number, request: NewRun, worker: string): Row<"runs"> {
  const now = new Date();
  return {
    id,
    job: request.job,
    version: null,
    trigger: request.trigger,
    schedule_key: null,
    slot: null,
    input: request.input ?? null,
    dedupe_key: request.dedupeKey ?? null,
    state: "running",
    priority: request.priority ?? 0,
    run_at: now,
    concurrency: concurrencyOf(request),
    start_by: null,
    attempt: 1,
    lease: 1,
    resumes: false,
    lost: 0,
    parent_run: null,
    lease_owner: worker,
    heartbeat_at: now,
    cancel_requested_at: null,
    cancel_requested_by: null,
    output: null,
    error: null,
    dead: false,
    redrive_of: null,
    redriven_as: null,
    trace_id: request.traceId,
    requested_by: request.requestedBy,
    created_at: now,
    started_at: now,
    finished_at: null,
  };
}

/** Whether a request is one that `startAtOnce` can place: to be started now, by nobody's slot or trigger. */
export function isPlain(request: NewRun): boolean {
  const { slot, event, runAt, delayMs, startBy, parentRun, redriveOf } = request;
  return [slot, event, runAt, delayMs, startBy, parentRun, redriveOf].every((value) => value === undefined);
}
