/*
 * Polls a JSON API and tells a chat webhook when the value that you watch has changed.
 *
 * Change: `url`, `pick` (which part of the answer counts), the schedule, the host in `permissions.net`, and the host of the
 * webhook. The person sets the webhook's address: jr secrets set CHAT_WEBHOOK. (Discord wants { content }, Slack { text }.)
 */
import { defineJob, z } from "jobrunner";

const url = "https://api.example.org/releases/latest";

/** What of the answer is compared and told. The check fails loudly when the API changes its shape. */
const answer = z.object({ name: z.string(), version: z.string() });
const pick = (json: unknown) => answer.parse(json).version;

export default defineJob({
  description: "Tells the chat when the latest release changes",
  schedule: { cron: "*/15 * * * *", catchUp: "latest" },
  permissions: { net: ["api.example.org"], secrets: { CHAT_WEBHOOK: ["hooks.example.org"] } },
  limits: { timeout: "30s" },
  retry: { attempts: 3, delay: "30s" },

  async run({ kv, secrets, log }) {
    const response = await fetch(url, { headers: { accept: "application/json" } });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const value = pick(await response.json());
    const before = await kv.get<string>("value");
    if (before === value) return { changed: false, value };
    if (before === undefined) {
      await kv.set("value", value);
      log.info(`first value: ${value}`);
      return { changed: false, value };
    }
    const told = await fetch(await secrets.get("CHAT_WEBHOOK"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: `Changed from ${before} to ${value}: ${url}` }),
    });
    if (!told.ok) throw new Error(`the webhook answered ${told.status}`);
    // Kept only now: when the webhook fails, the next run tells it again.
    await kv.set("value", value);
    return { changed: true, before, value };
  },
});
