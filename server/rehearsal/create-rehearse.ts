import type { AnyEffect } from "../effects/define-effect.ts";
import { UserError } from "../errors.ts";
import { checkInput } from "../runs/check-input.ts";
import type { RunEvent } from "../runs/triggers/run-event.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Db } from "../store/open-store.ts";
import type { Mock } from "./mocks.ts";
import { readRecordedRun } from "./recorded-run.ts";
import { notRehearsed, type RehearsalReport } from "./rehearsal-report.ts";
import { type RehearsedVersion, rehearse } from "./rehearse.ts";

export type RehearsalRequest = Readonly<{
  version: RehearsedVersion;
  /** Undefined for the recorded run's, or for none. */
  input?: unknown;
  /** What starts it; undefined for what started the recorded run, or for nothing. */
  event?: RunEvent | undefined;
  mocks?: readonly Mock[] | undefined;
  /** A run of the same job, such as `R12`, that answers what no mock does. */
  run?: string | undefined;
  signal?: AbortSignal | undefined;
}>;

/** Rehearses a version. Throws `input_invalid`, `run_not_found`, `invalid_argument`. */
export type Rehearse = (request: RehearsalRequest) => Promise<RehearsalReport>;

const never = new AbortController().signal;

/** Makes the function that submitting, the tools and the person's door rehearse with. It reads the store and writes nothing. */
export function createRehearse(
  deps: Readonly<{ db: Db; pool: Pick<Pool, "run">; effects: readonly AnyEffect[]; clock: () => Date }>,
): Rehearse {
  return async ({ version, input, event = null, mocks = [], run, signal = never }) => {
    const recorded = run === undefined ? null : await readRecordedRun(deps.db, run);
    if (recorded !== null && recorded.run.job !== version.job) {
      throw new UserError("invalid_argument", `${run} is a run of ${recorded.run.job}, not of ${version.job}.`, {
        next: `run_list {"job": "${version.job}"}`,
      });
    }
    const recordedInput = recorded?.run.input ?? null;
    const given: unknown = input === undefined && recordedInput !== null ? JSON.parse(recordedInput) : input;
    const checked = checkInput(version.manifest.input, given);
    if (!checked.ok) {
      const problems = checked.problems.slice(0, 5).join("; ");
      if (input !== undefined) throw new UserError("input_invalid", `The input does not fit: ${problems}.`);
      return notRehearsed(`It needs an input, which rehearsing it by hand can give: ${problems}.`);
    }
    const { report } = await rehearse(deps, {
      ...{ version, event, mocks, recorded, signal },
      inputJson: checked.json,
      startMs: deps.clock().getTime(),
    });
    return report;
  };
}
