/*
 * Is started whenever a run of another job ends, reads what that run returned, and tells the person.
 *
 * Change: the job's name in `triggers.after` and whether its success, failure or any end counts (`on`), `output` (what of its output
 * matters), the target in `permissions.notify`.
 */
import { defineJob, z } from "jobrunner";

const output = z.object({ new: z.array(z.object({ title: z.string(), link: z.string() })) });

export default defineJob({
  description: "Tells the person what feed-watch has found, or that it has failed",
  triggers: { after: [{ job: "feed-watch", on: "end" }] },
  permissions: { notify: ["desktop"] },
  limits: { timeout: "30s" },

  async run({ run, notify, log }) {
    if (run.event?.kind !== "after") return { told: false };
    const { job, run: which, state, error } = run.event;
    if (state !== "succeeded") {
      await notify({ title: `${job} ${state}`, text: `${which}: ${error?.message ?? "no message"}`, urgency: "high" });
      return { told: true, state };
    }
    const read = output.safeParse(run.event.output);
    if (!read.success) {
      log.warn(`the output of ${which} has another form: ${z.prettifyError(read.error)}`);
      return { told: false, state };
    }
    const entries = read.data.new;
    if (entries.length === 0) return { told: false, state };
    await notify({
      title: `${entries.length} new`,
      text: entries.map(({ title, link }) => `${title} ${link}`).join("\n"),
    });
    return { told: true, state };
  },
});
