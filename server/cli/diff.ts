import { Command } from "commander";
import { z } from "zod";
import { visibleText } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { painter } from "./paint.ts";
import { jsonText } from "./show-list.ts";
import { parseVersion } from "./sign-decision.ts";

/** `jr diff NAME v1 v2`: how the sources of two versions differ. */
export function command(context: CliContext): Command {
  return new Command("diff")
    .description("show what changed between two versions of a job")
    .argument("<name>", "the job")
    .argument("<from>", "such as v1")
    .argument("<to>", "such as v2")
    .option("--json", "print JSON")
    .action(async (name: string, from: string, to: string, { json }: { json?: boolean }) => {
      const query = new URLSearchParams({ from: String(parseVersion(from)), to: String(parseVersion(to)) });
      const client = await connectDaemon(context);
      const { diff } = await client.get(
        `/api/jobs/${encodeURIComponent(name)}/diff?${query}`,
        z.object({ diff: z.string() }),
      );
      if (json) return print(context, jsonText({ diff }));
      if (diff === "") return say(context, "The sources are the same.");
      print(
        context,
        visibleText(diff)
          .split("\n")
          .map((line) => coloured(context, line))
          .join("\n"),
      );
    });
}

function coloured(context: CliContext, line: string): string {
  if (line.startsWith("+++") || line.startsWith("---")) return painter(context)("bold", line);
  if (line.startsWith("+")) return painter(context)("green", line);
  if (line.startsWith("-")) return painter(context)("red", line);
  return line.startsWith("@@") ? painter(context)("cyan", line) : line;
}
