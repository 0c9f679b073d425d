import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { followEndedRuns } from "../../runs/metrics/follow-ended-runs.ts";
import { type MetricsWindow, metricsWindows } from "../../runs/metrics/metrics-windows.ts";
import { summarizeWindow, type WindowSummary } from "../../runs/metrics/window-summary.ts";
import type { Store } from "../../store/open-store.ts";
import { version } from "../../version.ts";
import { cached } from "./cached.ts";
import { type ProcessHealth, watchProcess } from "./process-health.ts";
import { createPrometheus, mostJobs } from "./prometheus.ts";
import { oldestJobs, readStoreBytes, readStoreFigures, type StoreFigures } from "./read-store.ts";

/** What GET /api/metrics tells. */
export type MetricsSummary = Readonly<{
  now: StoreFigures & Readonly<{ store_bytes: number }>;
  window: WindowSummary;
  runners: Readonly<{ idle: number; busy: number }>;
  process: ProcessHealth;
}>;

/** Numbers of every machine, from the database, and of this process. Disposing it ends the watch over the event loop. */
export type Metrics = Disposable &
  Readonly<{
    prometheus(): Promise<{ contentType: string; text: string }>;
    summary(window: MetricsWindow): Promise<MetricsSummary>;
  }>;

type Deps = Readonly<{
  store: Pick<Store, "db" | "kind">;
  runners: () => { idle: number; busy: number };
  /** Names of the effects that there are. */
  ops: readonly string[];
  log: Log;
  /** Milliseconds of a clock that never goes back. */
  clock: () => number;
}>;

/** Scrapes that come faster share an answer of the database. */
const freshMs = 5_000;
const windowFreshMs: Readonly<Record<MetricsWindow, number>> = { "1h": 5_000, "24h": 30_000, "7d": 60_000 };
const sizeFreshMs = 60_000;
/** Prometheus gives up after 10 s by itself. */
const answerMs = 5_000;

/** Makes the metrics of a daemon. */
export function createMetrics({ store, runners, ops, log, clock }: Deps): Metrics {
  const { db } = store;
  const scraped = watchProcess();
  const asked = watchProcess();
  const exposition = createPrometheus({ version, store: store.kind, ops });
  const nextEnded = followEndedRuns(db);
  const figures = cached(() => readStoreFigures(store), freshMs, clock);
  const ended = cached(
    async () => {
      exposition.expect(await oldestJobs(store, mostJobs));
      exposition.count(await nextEnded());
    },
    freshMs,
    clock,
  );
  const bytes = cached(() => readStoreBytes(store), sizeFreshMs, clock);
  const windows = new Map(
    metricsWindows.map((name) => [name, cached(() => summarizeWindow(db, name), windowFreshMs[name], clock)]),
  );
  let failing = false;

  async function ofStore(): Promise<{ store: StoreFigures | null; storeBytes: number | null }> {
    try {
      // The counters first, so that what they count is not in the queue any more.
      await inTime(ended());
      const answer = { store: await inTime(figures()), storeBytes: await inTime(bytes()) };
      failing = false;
      return answer;
    } catch (thrown) {
      if (!failing) log.warn({ err: thrown }, `metrics without the store: ${messageOf(thrown)}`);
      failing = true;
      return { store: null, storeBytes: null };
    }
  }

  return {
    async prometheus() {
      const text = await exposition.text({ ...(await ofStore()), health: scraped.look(), runners: runners() });
      return { contentType: exposition.contentType, text };
    },
    async summary(name) {
      const window = windows.get(name);
      if (window === undefined) throw new Error(`no window ${name}`);
      const now = { ...(await figures()), store_bytes: await bytes() };
      return { now, window: await window(), runners: runners(), process: asked.look() };
    },
    [Symbol.dispose]() {
      scraped[Symbol.dispose]();
      asked[Symbol.dispose]();
    },
  };
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${answerMs / 1_000} s`)), answerMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
