/*
 * Is started by a POST to its secret address, checks that what was sent has the form that it knows, and tells the person what
 * matters.
 *
 * Change: `message` (the form of what is sent), `matters`, the target in `permissions.notify`. Once it is approved, the person makes
 * the address, which is shown once: jr webhook webhook-notify. Whoever knows it can start the job, so trust nothing that comes in.
 */
import { defineJob, z } from "jobrunner";

const message = z.object({
  service: z.string().max(100),
  level: z.enum(["info", "warning", "critical"]),
  text: z.string().max(2_000),
});

const matters = ["warning", "critical"];

export default defineJob({
  description: "Tells the person of warnings that are sent to its webhook",
  triggers: { webhook: true },
  permissions: { notify: ["desktop"] },
  limits: { timeout: "30s", runsPerHour: 120 },

  async run({ run, notify, log }) {
    if (run.event?.kind !== "webhook") return { told: false, why: "it was not started by its webhook" };
    const read = message.safeParse(parse(run.event.body));
    if (!read.success) {
      log.warn(`not understood: ${z.prettifyError(read.error)}`);
      return { told: false, why: "not understood" };
    }
    const { service, level, text } = read.data;
    if (!matters.includes(level)) return { told: false, why: level };
    await notify({ title: `${service}: ${level}`, text, urgency: level === "critical" ? "high" : "normal" });
    return { told: true, service, level };
  },
});

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
