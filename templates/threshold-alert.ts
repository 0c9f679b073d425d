/*
 * Reads a number from a JSON API and tells a chat webhook when it crosses a threshold, and when it is back; once each.
 *
 * Change: `url`, `read` (where the number is), the thresholds, the schedule, the host in `permissions.net`, and the host of
 * the webhook. The person sets the webhook's address: jr secrets set CHAT_WEBHOOK. (Discord wants { content }, Slack { text }.)
 */
import { defineJob, z } from "jobrunner";

const url = "https://api.example.org/metrics/disk";
const answer = z.object({ usedPercent: z.number() });
const read = (json: unknown) => answer.parse(json).usedPercent;

export default defineJob({
  description: "Tells the chat when the disk is nearly full, and when it has room again",
  schedule: { cron: "*/5 * * * *", catchUp: "latest" },
  permissions: { net: ["api.example.org"], secrets: { CHAT_WEBHOOK: ["hooks.example.org"] } },
  limits: { timeout: "30s" },
  retry: { attempts: 3, delay: "30s" },
  // Two thresholds, so that a value that swings around one of them does not alert again and again.
  input: z.object({ above: z.number().default(90), backBelow: z.number().default(85) }),

  async run({ input, kv, secrets, log }) {
    const response = await fetch(url, { headers: { accept: "application/json" } });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const value = read(await response.json());
    const alerting = (await kv.get<boolean>("alerting")) ?? false;
    const now = alerting ? value >= input.backBelow : value > input.above;
    log.info(`value ${value}, ${now ? "alerting" : "fine"}`);
    if (now === alerting) return { value, alerting };
    const text = now ? `Above ${input.above}: ${value} (${url})` : `Back below ${input.backBelow}: ${value} (${url})`;
    const told = await fetch(await secrets.get("CHAT_WEBHOOK"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text }),
    });
    if (!told.ok) throw new Error(`the webhook answered ${told.status}`);
    // Kept only now: when the webhook fails, the next run tells it again.
    await kv.set("alerting", now);
    return { value, alerting: now };
  },
});
