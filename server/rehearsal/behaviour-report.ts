import { z } from "zod";

const fromTo = z.object({ from: z.string(), to: z.string() });

const runDifference = z.object({
  /** Such as `R12`. */
  run: z.string(),
  /** How it ended then. */
  state: z.string(),
  added: z.array(z.string()),
  removed: z.array(z.string()),
  changed: z.array(fromTo),
  /** How it would have ended, or its output; null where that is the same, or not known. */
  result: fromTo.nullable(),
  /** The effect from which on nothing can be said; null where all was answered. */
  unknown: z.string().nullable(),
  /** Why there is no comparison, or not a whole one; null where there is. */
  note: z.string().nullable(),
});

/** What a version would have done otherwise in the last runs of the approved one. Every text in it is foreign. */
export const behaviourDiffSchema = z.object({ base: z.int(), runs: z.array(runDifference) });

export type BehaviourDiff = z.infer<typeof behaviourDiffSchema>;
export type RunDifference = BehaviourDiff["runs"][number];

/** Compares a version with the one that is approved, over the latter's last runs. It never fails for the sake of one run. */
export type DiffBehaviour = (job: string, version: number, base: number) => Promise<BehaviourDiff>;
