import { Command } from "commander";
import { composeReview } from "../review/review.ts";
import { connectDaemon } from "./client.ts";
import type { CliContext } from "./context.ts";
import { showReview } from "./show-review.ts";
import { fetchMaterial, parseVersion } from "./sign-decision.ts";

/** `jr review NAME [vN]`: what there is to read before signing. */
export function command(context: CliContext): Command {
  return new Command("review")
    .description("show what a job's new version asks for and changes")
    .argument("<name>", "the job")
    .argument("[version]", "such as v3; the one that waits where none is given")
    .action(async (name: string, version: string | undefined) => {
      const material = await fetchMaterial(await connectDaemon(context), name, parseVersion(version));
      await showReview(context, composeReview(material, new Date()), { paged: true });
    });
}
