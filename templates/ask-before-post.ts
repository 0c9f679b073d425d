/*
 * Fetches a draft, asks a person, and posts it to a chat webhook only if they say so. While it waits, nothing runs.
 *
 * Change: `url` and `draft`, the question, how long it waits, the schedule, the host in `permissions.net`, and the host of the
 * webhook. The person sets the webhook's address: jr secrets set CHAT_WEBHOOK. They answer with: jr answer R12 post
 */
import { defineJob, z } from "jobrunner";

const url = "https://api.example.org/announcements/draft";
const draft = z.object({ id: z.string(), text: z.string().min(1).max(2_000) });

export default defineJob({
  description: "Posts the announcement of the week to the chat, once a person has agreed",
  schedule: { cron: "0 10 * * 1", catchUp: "latest" },
  permissions: { net: ["api.example.org"], secrets: { CHAT_WEBHOOK: ["hooks.example.org"] } },
  limits: { timeout: "60s" },
  // A post that a crash cut off may have gone out: the person decides, since nobody wants it twice.
  onUncertain: "ask",

  async run({ kv, secrets, ask, log }) {
    const response = await fetch(url, { headers: { accept: "application/json" } });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const { id, text } = draft.parse(await response.json());
    if ((await kv.get<string>("decided")) === id) return { id, posted: false, why: "decided before" };

    const answer = await ask(`Post this to the chat?\n\n${text}`, {
      choices: ["post", "skip"],
      timeout: "2d",
      fallback: "skip",
    });
    log.info(`draft ${id}: ${answer}`);
    if (answer === "post") {
      const told = await fetch(await secrets.get("CHAT_WEBHOOK"), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ text }),
      });
      if (!told.ok) throw new Error(`the webhook answered ${told.status}`);
    }
    // Kept only now: when the webhook fails, the next run asks again.
    await kv.set("decided", id);
    return { id, posted: answer === "post" };
  },
});
