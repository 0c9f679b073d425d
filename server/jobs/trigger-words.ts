import { formatDuration } from "../duration.ts";
import type { FrozenSchedule, Manifest, Triggers } from "./manifest.ts";

const endWords: Readonly<Record<Triggers["after"][number]["on"], string>> = {
  success: "has succeeded",
  failure: "has failed",
  end: "has ended, whichever way",
};

/** What starts a job besides its schedules, in plain words: one line each. */
export function triggersInWords({ after, files, webhook }: Triggers): string[] {
  return [
    ...after.map(({ job, on }) => `after a run of ${job} ${endWords[on]}`),
    ...files.map((path) => `when something in ${path} changes`),
    ...(webhook ? ["when somebody posts to its secret address"] : []),
  ];
}

/** What jitter does to a schedule; undefined where it has none. */
export function jitterInWords({ jitterMs }: Pick<FrozenSchedule, "jitterMs">): string | undefined {
  return jitterMs === 0 ? undefined : `each starts up to ${formatDuration(jitterMs)} later`;
}

/** What the priority means; undefined where it is the usual one. */
export function priorityInWords({ priority }: Pick<Manifest, "priority">): string | undefined {
  if (priority === 0) return undefined;
  return `${priority > 0 ? `+${priority}` : priority}: its runs go ${priority > 0 ? "before" : "after"} those of other jobs`;
}
