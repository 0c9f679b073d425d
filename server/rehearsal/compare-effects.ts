import { effectLine } from "../runs/effect-text.ts";
import type { RehearsedCall } from "./answer-effects.ts";
import { callKey } from "./recorded-answers.ts";

type Issued = Readonly<{ op: string; argsJson: string }>;

export type EffectChanges = Readonly<{
  added: readonly string[];
  /** Nothing where an unknown answer ends the comparison: what is missing could still come. */
  removed: readonly string[];
  changed: readonly Readonly<{ from: string; to: string }>[];
  /** The effect that no record answers; null where all were answered. */
  unknown: string | null;
}>;

/** Timers touch nothing, and whether one that nobody waited for was recorded is chance. */
const isCompared = ({ op }: Issued) => op !== "timer";

/** What a rehearsal over a recorded run did otherwise: by operation and arguments, in no particular order. */
export function compareEffects(recorded: readonly Issued[], calls: readonly RehearsedCall[]): EffectChanges {
  const unknownAt = calls.find(({ answeredBy }) => answeredBy === "unknown");
  const known = calls.filter((call) => isCompared(call) && call.seq <= (unknownAt?.seq ?? Number.POSITIVE_INFINITY));
  const left = recorded.filter(isCompared);
  const fresh = known.filter((call) => {
    const at = left.findIndex((each) => callKey(each.op, each.argsJson) === callKey(call.op, call.argsJson));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  const changed: { from: string; to: string }[] = [];
  const added: string[] = [];
  for (const call of fresh) {
    const line = effectLine(call);
    const at = left.findIndex((each) => kindOf(each) === kindOf(call));
    const [before] = at < 0 ? [] : left.splice(at, 1);
    if (before === undefined) added.push(line);
    else changed.push({ from: effectLine(before), to: line });
  }
  return {
    added,
    changed,
    removed: unknownAt === undefined ? left.map(effectLine) : [],
    unknown: unknownAt === undefined ? null : effectLine(unknownAt),
  };
}

/** The operation, a fetch with its method: calls of one kind are taken for each other. */
function kindOf(call: Issued): string {
  return call.op === "fetch" ? effectLine(call).split(" ", 2).join(" ") : call.op;
}
