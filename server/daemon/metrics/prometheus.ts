import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Ended } from "../../runs/metrics/follow-ended-runs.ts";
import { createLabels, others } from "./create-labels.ts";
import type { ProcessHealth } from "./process-health.ts";
import type { StoreFigures } from "./read-store.ts";

export type Snapshot = Readonly<{
  /** Null where the database does not answer: then what it would tell is left out, not told from memory. */
  store: StoreFigures | null;
  storeBytes: number | null;
  health: ProcessHealth;
  runners: Readonly<{ idle: number; busy: number }>;
}>;

/** The exposition of one daemon. */
export type Prometheus = Readonly<{
  contentType: string;
  /** Begins the counters of jobs at 0, so that the increase to their first run is seen. The first ones get series of their own. */
  expect(jobs: readonly string[]): void;
  /** Adds runs that have ended to the counters. */
  count(ended: Ended): void;
  /** The text for this moment. */
  text(snapshot: Snapshot): Promise<string>;
}>;

/** Jobs that get series of their own. */
export const mostJobs = 200;
const durationBuckets = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];
const latenessBuckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 600, 3_600];

/**
 * Makes the metrics, each in a registry of their own. Labels are fixed words, names of effects and models, and at most
 * `mostJobs` names of jobs: `job_name`, since Prometheus itself calls what it scrapes `job`.
 */
export function createPrometheus(about: { version: string; store: string; ops: readonly string[] }): Prometheus {
  const registry = new Registry();
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const jobLabel = createLabels(mostJobs);
  const ops = new Set(about.ops);

  gauge("jobrunner_info", "Version and kind of store; always 1.", ["version", "store"]).set(
    { version: about.version, store: about.store },
    1,
  );
  const storeUp = gauge("jobrunner_store_up", "1 where the database answered this scrape in time.");
  const queue = gauge("jobrunner_queue_runs", "Runs that have not ended, by what they wait for.", ["state"]);
  const oldest = gauge("jobrunner_queue_oldest_due_seconds", "How long the oldest run that could start has waited.");
  const behind = gauge("jobrunner_schedule_behind_seconds", "How long the oldest slot without an outcome is due.");
  const jobs = gauge("jobrunner_jobs", "Jobs by state.", ["state"]);
  const dead = gauge("jobrunner_dead_letters", "Runs that failed for good and that nobody has dealt with.", [
    "job_name",
  ]);
  const alerts = gauge("jobrunner_alerts_open", "Alerts that nothing has resolved.");
  const workers = gauge("jobrunner_workers", "Daemons and workers on record.", ["state"]);
  const places = gauge("jobrunner_worker_places", "Runs that live workers do, and could do at a time.", ["kind"]);
  const bytes = gauge("jobrunner_store_bytes", "Size of the database on disk.");
  const agents = gauge("jobrunner_agents", "Agents that have not ended.", ["state"]);
  const ofModel = ["provider", "model"] as const;
  const agentTokens = counter("jobrunner_agent_tokens_total", "Tokens of agents' models.", [...ofModel, "kind"]);
  const agentCost = counter("jobrunner_agent_cost_usd_total", "Cost of agents' cloud models.", ofModel);
  const answers = counter("jobrunner_agent_answers_total", "Agents' answers, by what became of them.", [
    ...ofModel,
    "outcome",
  ]);
  const labelled = [queue, jobs, dead, workers, places, agents, agentTokens, agentCost, answers];
  const scalars = [oldest, behind, alerts];

  const ended = counter("jobrunner_runs_ended_total", "Runs that ended, on every machine.", ["job_name", "state"]);
  const retries = counter("jobrunner_run_retries_total", "Tries beyond the first, of runs that ended.", ["job_name"]);
  const effects = counter("jobrunner_effects_total", "Effects of runs that ended.", ["op", "outcome"]);
  const tokens = counter("jobrunner_llm_tokens_total", "Tokens of models, of runs that ended.", ["kind"]);
  const duration = new Histogram({
    name: "jobrunner_run_duration_seconds",
    help: "From a run's first start to its end.",
    labelNames: ["job_name"],
    buckets: durationBuckets,
    registers,
  });
  const lateness = new Histogram({
    name: "jobrunner_slot_lateness_seconds",
    help: "From a slot to the start of its run.",
    buckets: latenessBuckets,
    registers,
  });
  for (const kind of ["prompt", "output"]) tokens.inc({ kind }, 0);

  const runners = gauge("jobrunner_runners", "Runner processes of this daemon.", ["state"]);
  const memory = gauge("process_resident_memory_bytes", "Resident memory of this daemon without its runners.");
  const heap = gauge("nodejs_heap_size_used_bytes", "Heap in use.");
  const cpu = counter("process_cpu_seconds_total", "Processor time, user and system.");
  const loop = gauge("nodejs_eventloop_delay_seconds", "How late timers came since the last scrape.", ["quantile"]);

  function setStore(figures: StoreFigures): void {
    for (const [state, count] of Object.entries(figures.queue)) queue.set({ state }, count);
    oldest.set(figures.oldest_due_seconds);
    behind.set(figures.schedule_behind_seconds);
    for (const [state, count] of Object.entries(figures.jobs)) jobs.set({ state }, count);
    for (const { job, count } of figures.dead) dead.inc({ job_name: jobLabel(job) }, count);
    alerts.set(figures.alerts_open);
    for (const [state, count] of Object.entries(figures.agents)) agents.set({ state }, count);
    for (const { provider, model, ...each } of figures.models) {
      agentTokens.inc({ provider, model, kind: "prompt" }, each.tokens_in);
      agentTokens.inc({ provider, model, kind: "output" }, each.tokens_out);
      agentCost.inc({ provider, model }, each.cost_microusd / 1e6);
      for (const outcome of ["accepted", "refused", "failed"] as const) {
        answers.inc({ provider, model, outcome }, each[outcome]);
      }
    }
    const { running, max, ...states } = figures.workers;
    for (const [state, count] of Object.entries(states)) workers.set({ state }, count);
    places.set({ kind: "running" }, running);
    places.set({ kind: "max" }, max);
  }

  function setProcess({ health, runners: { idle, busy } }: Snapshot): void {
    runners.set({ state: "idle" }, idle);
    runners.set({ state: "busy" }, busy);
    memory.set(health.memory_bytes);
    heap.set(health.heap_bytes);
    cpu.reset();
    cpu.inc(health.cpu_seconds);
    const { p50, p99, max } = health.event_loop_seconds;
    loop.set({ quantile: "0.5" }, p50);
    loop.set({ quantile: "0.99" }, p99);
    loop.set({ quantile: "1" }, max);
  }

  return {
    contentType: registry.contentType,
    expect(names) {
      for (const job_name of names.map(jobLabel)) {
        for (const state of ["succeeded", "failed"]) ended.inc({ job_name, state }, 0);
        retries.inc({ job_name }, 0);
      }
    },
    count({ runs, effects: counts }) {
      for (const run of runs) {
        const job_name = jobLabel(run.job);
        ended.inc({ job_name, state: run.state });
        retries.inc({ job_name }, run.retries);
        if (run.seconds !== null) duration.observe({ job_name }, Math.max(0, run.seconds));
        if (run.latenessSeconds !== null) lateness.observe(Math.max(0, run.latenessSeconds));
      }
      for (const { op, outcome, count, promptTokens, outputTokens } of counts) {
        // A job can ask for effects that there are not.
        effects.inc({ op: ops.has(op) ? op : others, outcome }, count);
        tokens.inc({ kind: "prompt" }, promptTokens);
        tokens.inc({ kind: "output" }, outputTokens);
      }
    },
    text(snapshot) {
      for (const each of labelled) each.reset();
      // Of a database that does not answer nothing is known, which is not 0.
      if (snapshot.store === null) for (const each of scalars) each.remove();
      else setStore(snapshot.store);
      if (snapshot.storeBytes === null) bytes.remove();
      else bytes.set(snapshot.storeBytes);
      storeUp.set(snapshot.store === null ? 0 : 1);
      setProcess(snapshot);
      return registry.metrics();
    },
  };
}
