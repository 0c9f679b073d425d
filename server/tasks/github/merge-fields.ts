import type { GithubRepo } from "../../config.ts";
import type { SharedFields } from "./issue-fields.ts";

/**
 * What a task takes over from its issue, field by field: what the issue alone has changed since it was seen last, and what both have.
 * Without a base, as after linking by hand, all that differs counts as changed by the issue. From then on the issue as it is now is the
 * base: whatever still differs from it was changed by the task, and is for it to push.
 */
export function fieldsToPull(
  { base, task, issue }: Readonly<{ base: SharedFields | null; task: SharedFields; issue: SharedFields }>,
  direction: GithubRepo["direction"],
): Partial<SharedFields> {
  if (direction === "push") return {};
  const news = base === null ? issue : differing(base, issue);
  return differing(task, { ...task, ...news });
}

/** The fields of `after` that are not as before. */
export function differing(before: SharedFields, after: SharedFields): Partial<SharedFields> {
  return {
    ...(after.title === before.title ? {} : { title: after.title }),
    ...(after.body === before.body ? {} : { body: after.body }),
    ...(after.state === before.state ? {} : { state: after.state }),
    ...(JSON.stringify(after.labels) === JSON.stringify(before.labels) ? {} : { labels: after.labels }),
  };
}
