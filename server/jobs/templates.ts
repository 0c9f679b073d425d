import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { packageRoot } from "../home.ts";

export type Template = Readonly<{
  name: string;
  description: string;
  /** What to change in it, in words. */
  parameters: readonly string[];
  /** Path below the package's root. */
  file: string;
}>;

const webhook = "host of the webhook (secret CHAT_WEBHOOK)";

/** Every template. Each is a whole job that works as it is, once its hosts are real. */
export const templates: readonly Template[] = [
  {
    name: "json-change",
    description: "Polls a JSON API and tells a chat webhook when a value changed.",
    parameters: ["url and its host", "which value counts", "schedule", webhook],
    file: "templates/json-change.ts",
  },
  {
    name: "feed-watch",
    description: "Watches Atom and RSS feeds and reports new entries.",
    parameters: ["feeds and their hosts", "schedule"],
    file: "jobs/feed-watch.ts",
  },
  {
    name: "threshold-alert",
    description:
      "Reads a number from a JSON API and tells a chat webhook when it crosses a threshold and when it is back.",
    parameters: ["url and its host", "where the number is", "thresholds", "schedule", webhook],
    file: "templates/threshold-alert.ts",
  },
  {
    name: "uptime-check",
    description: "Requests web pages and tells a chat webhook when one is down and when it is up again.",
    parameters: ["sites and their hosts", "how many failures alert", "schedule", webhook],
    file: "templates/uptime-check.ts",
  },
  {
    name: "notes-digest",
    description: "Reads the notes in a folder that changed, and keeps a digest of them as an artifact.",
    parameters: ["folder", "which files count", "schedule"],
    file: "templates/notes-digest.ts",
  },
  {
    name: "weekly-report",
    description: "Notes a number from a JSON API each day, and writes a weekly report of them as an artifact.",
    parameters: ["url and its host", "where the number is", "day of the report", "schedule"],
    file: "templates/weekly-report.ts",
  },
  {
    name: "llm-summary",
    description: "Fetches new articles, has a local model sum them up, and notifies the person.",
    parameters: ["url and its host", "what an article is", "model", "target of the message", "schedule"],
    file: "templates/llm-summary.ts",
  },
  {
    name: "ask-before-post",
    description: "Fetches a draft, asks the person, and posts it to a chat webhook once they have agreed.",
    parameters: ["url and its host", "question and how long it waits", "schedule", webhook],
    file: "templates/ask-before-post.ts",
  },
  {
    name: "follow-up",
    description: "Waits for days, then looks whether a ticket is still open, and reminds the person.",
    parameters: ["url and its host", "what a ticket says", "how long it waits", "target of the message"],
    file: "templates/follow-up.ts",
  },
  {
    name: "git-digest",
    description: "Runs git log in a repository and keeps a digest of the new commits as an artifact.",
    parameters: ["repository", "path of git", "schedule"],
    file: "templates/git-digest.ts",
  },
  {
    name: "webhook-notify",
    description: "Is started by a webhook, checks what was sent, and tells the person what matters.",
    parameters: ["form of what is sent", "what matters", "target of the message"],
    file: "templates/webhook-notify.ts",
  },
  {
    name: "inbox-report",
    description: "Is started when files come into a folder, reads them, and keeps a report as an artifact.",
    parameters: ["folder", "endings", "what the report says"],
    file: "templates/inbox-report.ts",
  },
  {
    name: "after-job",
    description: "Is started when another job's run ends, reads what it returned, and tells the person.",
    parameters: ["name of the other job", "what of its output matters", "target of the message"],
    file: "templates/after-job.ts",
  },
];

/** The templates, for lists. */
export function listTemplates(): readonly Template[] {
  return templates;
}

/** A template with its source. Throws `template_not_found`. */
export async function readTemplate(name: string): Promise<Template & { source: string }> {
  const template = templates.find((each) => each.name === name);
  if (template === undefined) {
    throw new UserError("template_not_found", `There is no template ${JSON.stringify(name.slice(0, 60))}.`, {
      next: `one of ${templates.map((each) => each.name).join(", ")}`,
    });
  }
  return { ...template, source: await readFile(join(packageRoot, template.file), "utf8") };
}
