/*
 * Requests web pages and tells a chat webhook when one is down (several checks in a row failed) and when it is up again.
 *
 * Change: `sites`, the schedule, the hosts in `permissions.net` (one for each site), and the host of the webhook. The person
 * sets the webhook's address: jr secrets set CHAT_WEBHOOK. (Discord wants { content }, Slack { text }.)
 */
import { defineJob, z } from "jobrunner";

const sites = ["https://www.example.org/"];

type Site = { failures: number; down: boolean };

export default defineJob({
  description: "Tells the chat when a site is down, and when it is up again",
  schedule: { cron: "*/2 * * * *", catchUp: "none" },
  permissions: { net: ["www.example.org"], secrets: { CHAT_WEBHOOK: ["hooks.example.org"] } },
  limits: { timeout: "60s" },
  input: z.object({ failuresBeforeAlert: z.int().min(1).default(2), timeoutMs: z.int().min(100).default(10_000) }),

  async run({ input, kv, secrets, log }) {
    const results: { site: string; up: boolean; detail: string }[] = [];
    for (const site of sites) {
      const { up, detail } = await check(site, input.timeoutMs);
      log.info(`${site} ${detail}`);
      results.push({ site, up, detail });
      const before = (await kv.get<Site>(`site:${site}`)) ?? { failures: 0, down: false };
      const failures = up ? 0 : before.failures + 1;
      const down = up ? false : before.down || failures >= input.failuresBeforeAlert;
      if (down !== before.down)
        await tell(await secrets.get("CHAT_WEBHOOK"), down ? `DOWN: ${site} (${detail})` : `Up again: ${site}`);
      // Kept only now: when the webhook fails, the next run tells it again.
      await kv.set(`site:${site}`, { failures, down });
    }
    return { sites: results };
  },
});

async function check(site: string, timeoutMs: number): Promise<{ up: boolean; detail: string }> {
  try {
    const { ok, status } = await fetch(site, { signal: AbortSignal.timeout(timeoutMs) });
    return { up: ok, detail: `answered ${status}` };
  } catch (error) {
    return { up: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

async function tell(webhook: string, text: string): Promise<void> {
  const told = await fetch(webhook, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });
  if (!told.ok) throw new Error(`the webhook answered ${told.status}`);
}
