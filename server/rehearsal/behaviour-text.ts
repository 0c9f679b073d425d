import type { BehaviourDiff, RunDifference } from "./behaviour-report.ts";

const shownEach = 15;

/** The comparison in lines of plain text, one or more for each run; foreign throughout. */
export function behaviourLines({ base, runs }: BehaviourDiff): string[] {
  if (runs.length === 0) return [`v${base} has no run to compare with`];
  return runs.flatMap(runLines);
}

function runLines(difference: RunDifference): string[] {
  const { run, state, added, removed, changed, result, unknown, note } = difference;
  const head = `${run} (${state})`;
  const details = [
    ...some(changed.map(({ from, to }) => `changed: ${from} → ${to}`)),
    ...some(added.map((line) => `added: ${line}`)),
    ...some(removed.map((line) => `removed: ${line}`)),
    ...(result === null ? [] : [`result: ${result.from} → ${result.to}`]),
    ...(unknown === null ? [] : [`unknown from here: ${unknown}`]),
    ...(note === null ? [] : [note]),
  ];
  if (details.length === 0) return [`${head}: the same effects and the same result`];
  return details.map((line) => `${head}: ${line}`);
}

function some(lines: readonly string[]): string[] {
  const more = lines.length - shownEach;
  return more > 0 ? [...lines.slice(0, shownEach), `… and ${more} more of these`] : [...lines];
}
