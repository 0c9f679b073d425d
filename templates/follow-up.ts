/*
 * Waits for days after it was asked for, then looks whether a ticket is still open, and reminds the person if so. While it waits,
 * nothing runs: it survives restarts, and the days go by the calendar.
 *
 * Change: `url` and `answer` (what a ticket says), the host in `permissions.net`, the target in `permissions.notify`.
 * Ask for it with: jr run follow-up --input '{"ticket": "SHOP-12"}'
 */
import { defineJob, z } from "jobrunner";

const url = (ticket: string) => `https://api.example.org/tickets/${ticket}`;
const answer = z.object({ state: z.enum(["open", "closed"]), title: z.string() });

export default defineJob({
  description: "Looks at a ticket after three days, and reminds me while it is open",
  permissions: { net: ["api.example.org"], notify: ["desktop"] },
  // Time asleep does not count.
  limits: { timeout: "60s" },
  retry: { attempts: 3, delay: "5m" },
  input: z.object({
    ticket: z.string().regex(/^[A-Z]+-\d+$/),
    after: z.string().default("3d"),
    reminders: z.int().min(1).max(10).default(2),
  }),

  async run({ input, sleep, notify, log }) {
    for (let reminder = 1; reminder <= input.reminders; reminder++) {
      await sleep(input.after);
      const response = await fetch(url(input.ticket), { headers: { accept: "application/json" } });
      if (!response.ok) throw new Error(`${input.ticket}: status ${response.status}`);
      const { state, title } = answer.parse(await response.json());
      log.info(`${input.ticket} is ${state}`);
      if (state === "closed") return { ticket: input.ticket, state, reminders: reminder - 1 };
      await notify({ title: `${input.ticket} is still open`, text: title, target: "desktop" });
    }
    return { ticket: input.ticket, state: "open", reminders: input.reminders };
  },
});
