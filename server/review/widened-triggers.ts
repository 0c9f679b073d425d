import type { Manifest } from "../jobs/manifest.ts";

/** What may start a job, or how it pushes in, that the approved manifest did not say; for a first version, all of it. */
export function widenedTriggers(before: Manifest | undefined, after: Manifest): string[] {
  const was = before?.triggers ?? { after: [], files: [], webhook: false };
  const is = after.triggers;
  return [
    ...(is.webhook && !was.webhook
      ? ["WEBHOOK: whoever knows its secret address may start it, and sends it any text"]
      : []),
    ...is.after.flatMap(({ job, on }) => {
      const old = was.after.find((each) => each.job === job);
      const reads = `and reads what that run returned`;
      if (old === undefined) return [`AFTER: is started when ${job} ${onWords[on]}, ${reads}`];
      const more = old.on !== on && old.on !== "end";
      return more ? [`AFTER: is started when ${job} ${onWords[on]}, not only when it ${onWords[old.on]}`] : [];
    }),
    ...is.files
      .filter((path) => !was.files.includes(path))
      .map((path) => `FILES: is started when something in ${path} changes`),
    ...(after.priority > (before?.priority ?? 0)
      ? [`PRIORITY: its runs go before those of other jobs (${before?.priority ?? 0} to ${after.priority})`]
      : []),
  ];
}

const onWords = { success: "succeeds", failure: "fails", end: "ends" } as const;
