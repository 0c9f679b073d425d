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
