import { isFinal } from "../../server/runs/run-states.ts";
import type { Row } from "../../server/store/tables.ts";
import { type Hold, overlaps } from "./lease-history.ts";

/** What was seen from outside, and what the store says. */
export type Evidence = Readonly<{
  rows: readonly Pick<Row<"runs">, "id" | "job" | "state" | "attempt" | "lease" | "error">[];
  attempts: readonly Pick<Row<"attempts">, "run_id" | "attempt" | "ended_at">[];
  journal: readonly Pick<Row<"journal">, "run_id" | "op" | "args" | "state" | "outcome">[];
  holds: readonly Hold[];
  /** `path` is run, attempt and step. */
  requests: readonly Readonly<{ at: number; path: string; method: string }>[];
  /** By who asked: the run of each key. */
  accepted: readonly ReadonlyMap<string, number>[];
}>;

/** Everything that must not have happened, in words. */
export function problemsOf(evidence: Evidence): string[] {
  return [
    ...acceptedRuns(evidence),
    ...finalOutcomes(evidence),
    ...overlaps(evidence.holds, (a, b) => a.run === b.run).map((text) => `one run held twice: ${text}`),
    ...aloneRuns(evidence),
    ...repeatedRequests(evidence),
  ];
}

/** Each key has one run, the same for everyone who asked. */
function acceptedRuns({ rows, accepted }: Evidence): string[] {
  const ids = new Set(rows.map(({ id }) => id));
  const [first = new Map<string, number>(), ...others] = accepted;
  const lost = [...first].filter(([, id]) => !ids.has(id)).map(([key]) => `the accepted run of ${key} is gone`);
  const twice = [...first]
    .filter(([key, id]) => others.some((other) => other.get(key) !== id))
    .map(([key]) => `${key} led to different runs`);
  const invented = rows.length > first.size ? [`${rows.length} runs for ${first.size} keys`] : [];
  return [...lost, ...twice, ...invented];
}

/** Each run ended once, and as its job ends where nothing but blows befalls it. */
function finalOutcomes({ rows, attempts }: Evidence): string[] {
  return rows.flatMap(({ id, job, state, error, attempt }) => {
    if (!isFinal(state)) return [`R${id} of ${job} never ended: ${state}`];
    if (state !== "succeeded") return [`R${id} of ${job} ended as ${state}: ${error}`];
    const own = attempts.filter(({ run_id }) => run_id === id);
    const open = own.filter((each) => each.ended_at === null).map((each) => each.attempt);
    const wanted = job === "failing" ? 3 : 1;
    return [
      ...(open.length > 0 ? [`R${id} ended, and its attempts ${open} did not`] : []),
      ...(attempt !== wanted || own.length !== wanted
        ? [`R${id} of ${job} took ${own.length} attempts, not ${wanted}`]
        : []),
    ];
  });
}

/** Runs of `alone` never share a moment, by the log of whoever held them. */
function aloneRuns({ rows, holds }: Evidence): string[] {
  const alone = new Set(rows.filter(({ job }) => job === "alone").map(({ id }) => id));
  return overlaps(
    holds.filter(({ run }) => alone.has(run)),
    (a, b) => a.run !== b.run,
  ).map((text) => `two runs of a job that must be alone: ${text}`);
}

/** A POST is not safe to repeat, so it was made once at most; anything else again only where a cut had it in flight. */
function repeatedRequests({ rows, requests, journal }: Evidence): string[] {
  const counts = new Map<string, number>();
  for (const { path, method } of requests) counts.set(`${method} ${path}`, (counts.get(`${method} ${path}`) ?? 0) + 1);
  const leases = new Map(rows.map((run) => [`R${run.id}`, run.lease]));
  const repeated = [...counts].flatMap(([request, count]) => {
    const [run = ""] = request.split(" ")[1]?.split("/") ?? [];
    const most = request.startsWith("POST") ? 1 : (leases.get(run) ?? 0);
    return count > most ? [`${request} was made ${count} times, at most ${most} are allowed`] : [];
  });
  const missing = journal.flatMap(({ run_id, op, args, outcome, state }) => {
    if (op !== "fetch" || state !== "done" || outcome !== "ok" || args === null) return [];
    const { url, method }: { url: string; method: string } = JSON.parse(args);
    return counts.has(`${method} ${new URL(url).pathname.slice(1)}`)
      ? []
      : [`R${run_id}: ${method} ${url} is on record and never came`];
  });
  return [...repeated, ...missing];
}
