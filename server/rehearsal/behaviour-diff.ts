import { z } from "zod";
import type { AnyEffect } from "../effects/define-effect.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { checkInput } from "../runs/check-input.ts";
import { formatRunId } from "../runs/run-id.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Db } from "../store/open-store.ts";
import type { DiffBehaviour, RunDifference } from "./behaviour-report.ts";
import { compareEffects } from "./compare-effects.ts";
import { readRehearsedVersion } from "./read-version.ts";
import { readRecordedRun } from "./recorded-run.ts";
import { type Rehearsed, type RehearsedVersion, rehearse } from "./rehearse.ts";

const comparedRuns = 3;
const longestMs = 10_000;
const keptResults = 300;
const shownChars = 400;

type Deps = Readonly<{ db: Db; pool: Pick<Pool, "run">; effects: readonly AnyEffect[]; log: Log }>;

/** Makes the comparison, which keeps what it has found of each version and run, and takes at most ten seconds in all. */
export function createBehaviourDiff(deps: Deps): DiffBehaviour {
  const found = new Map<string, RunDifference>();
  return async (job, version, base) => {
    const candidate = await readRehearsedVersion(deps.db, job, version);
    const signal = AbortSignal.timeout(longestMs);
    const runs: RunDifference[] = [];
    for (const { id, state, attempt } of await lastRuns(deps.db, job, base)) {
      const key = `${candidate.bundleHash} ${candidate.manifestHash} ${id}.${attempt}`;
      const known = found.get(key);
      const difference = known ?? (await compareRun(deps, candidate, { id, state }, signal));
      if (known === undefined && !signal.aborted) found.set(key, difference);
      for (const oldest of found.keys()) if (found.size > keptResults) found.delete(oldest);
      runs.push(difference);
    }
    return { base, runs };
  };
}

function lastRuns(db: Db, job: string, version: number) {
  return db
    .selectFrom("runs")
    .select(["id", "state", "attempt"])
    .where("job", "=", job)
    .where("version", "=", version)
    .where("state", "in", ["succeeded", "failed"])
    .orderBy("id", "desc")
    .limit(comparedRuns)
    .execute();
}

async function compareRun(
  deps: Deps,
  version: RehearsedVersion,
  { id, state }: { id: number; state: string },
  signal: AbortSignal,
): Promise<RunDifference> {
  const nothing = { added: [], removed: [], changed: [], result: null, unknown: null };
  const without = (note: string): RunDifference => ({ run: formatRunId(id), state, ...nothing, note });
  if (signal.aborted) return without("not compared: there was no time left");
  try {
    const recorded = await readRecordedRun(deps.db, id);
    const { run, journal, startMs } = recorded;
    const input = checkInput(version.manifest.input, run.input === null ? undefined : JSON.parse(run.input));
    if (!input.ok) return without(`its input does not fit any more: ${clip(input.problems.join("; "))}`);
    const now = await rehearse(deps, {
      version,
      inputJson: input.json,
      event: null,
      mocks: [],
      recorded,
      startMs,
      signal,
    });
    if (signal.aborted) return without("not compared: there was no time left");
    const { unknown, added, removed, changed } = compareEffects(journal, now.calls);
    const isWhole = now.calls.length === now.report.effectCount;
    return {
      run: formatRunId(id),
      state,
      added: added.map(clip),
      removed: isWhole ? removed.map(clip) : [],
      changed: changed.map(({ from, to }) => ({ from: clip(from), to: clip(to) })),
      result: unknown === null ? resultChange(run, now) : null,
      unknown: unknown === null ? null : clip(unknown),
      note: isWhole ? null : `only its first ${now.calls.length} effects were compared`,
    };
  } catch (thrown) {
    deps.log.warn({ err: thrown, run: formatRunId(id) }, "a run could not be compared");
    return without(`not compared: ${clip(messageOf(thrown))}`);
  }
}

const errorSchema = z.object({ name: z.string().optional(), message: z.string() });

function resultChange(
  run: { state: string; output: string | null; error: string | null },
  { report, outputJson }: Rehearsed,
) {
  const error = run.error === null ? undefined : errorSchema.safeParse(JSON.parse(run.error)).data;
  const before = run.state === "succeeded" ? (run.output ?? "no output") : `${run.state}: ${error?.message ?? ""}`;
  const failed = report.error === null ? "" : report.error;
  const after = report.state === "succeeded" ? (outputJson ?? "no output") : `${report.state}: ${failed}`;
  const sameError =
    run.state !== "succeeded" && run.state === report.state && error !== undefined && failed.includes(error.message);
  return before === after || sameError ? null : { from: clip(before), to: clip(after) };
}

function clip(text: string): string {
  return text.length <= shownChars ? text : `${text.slice(0, shownChars)}…`;
}
