import { Command } from "commander";
import { z } from "zod";
import { formatTime } from "../format-time.ts";
import { visibleLine } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText, ownTimezone, tableText } from "./show-list.ts";

const answer = z.object({
  events: z.array(
    z.object({
      id: z.int(),
      at: z.coerce.date(),
      kind: z.string(),
      actor: z.string(),
      subject: z.string(),
      detail: z.unknown(),
      trace_id: z.string().nullable(),
    }),
  ),
  before: z.int().nullable(),
});

type Options = { kind?: string; subject?: string; actor?: string; before?: string; limit: string; json?: boolean };

/** `jr audit`: who signed, changed, asked for or tried what, latest first. */
export function command(context: CliContext): Command {
  return new Command("audit")
    .description("list who signed, changed, asked for or tried what, latest first; what runs did stands in jr show")
    .option("--kind <kind>", "only this, such as version.approved or agent.refused")
    .option("--subject <handle>", "only about this, such as feed-watch, role:clerk or agent:A7")
    .option("--actor <name>", "only by whoever's name begins so, such as person or claude-code")
    .option("--limit <n>", "how many, at most 500", "50")
    .option("--before <number>", "only what is older than that one")
    .option("--json", "print JSON")
    .action((options: Options) => list(context, options));
}

async function list(context: CliContext, { json, ...filter }: Options): Promise<void> {
  const client = await connectDaemon(context);
  const page = await client.get(`/api/audit?${new URLSearchParams(filter)}`, answer);
  if (json) return print(context, jsonText(page));
  if (page.events.length === 0) return say(context, "Nothing that fits.");
  const rows = page.events.map(({ at, kind, actor, subject, detail }) => [
    formatTime(at, ownTimezone()),
    kind,
    visibleLine(subject),
    visibleLine(actor),
    detailText(detail).slice(0, 100),
  ]);
  print(context, tableText(context, ["WHEN", "WHAT", "ABOUT", "WHO", "MORE"], rows));
  if (page.before !== null) say(context, `older ones: --before ${page.before}`);
}

function detailText(detail: unknown): string {
  if (typeof detail !== "object" || detail === null) return visibleLine(JSON.stringify(detail));
  const words = Object.entries(detail).flatMap(([key, value]) =>
    value === null || value === "" ? [] : [`${key} ${typeof value === "string" ? value : JSON.stringify(value)}`],
  );
  return visibleLine(words.join(" · "));
}
