import { Command } from "commander";
import { z } from "zod";
import { parseSubject } from "../review/subject.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { parseVersion, subjectHelp } from "./sign-decision.ts";

/** `jr reject NAME [vN] --note`: refuses a version that waits; needs no signature, since it only makes things safer. */
export function command(context: CliContext): Command {
  return new Command("reject")
    .description("refuse the version that waits for your signature")
    .argument("<name>", subjectHelp)
    .argument("[version]", "such as v3; the one that waits where none is given")
    .option("--note <text>", "why; the agent that proposed it reads this")
    .action(async (word: string, version: string | undefined, { note }: { note?: string }) => {
      const { kind, name } = parseSubject(word);
      const client = await connectDaemon(context);
      const body = { version: parseVersion(version) ?? null, note: note ?? null };
      const rejected = await client.post(
        `/api/${kind === "job" ? "jobs" : `definitions/${kind}`}/${encodeURIComponent(name)}/reject`,
        body,
        z.object({ version: z.int() }),
      );
      print(context, `Rejected: ${word} v${rejected.version}.`);
    });
}
