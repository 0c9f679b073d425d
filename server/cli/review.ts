import { Command } from "commander";
import { composeDefinitionReview } from "../definitions/definition-review.ts";
import { composeReview } from "../review/review.ts";
import { parseSubject } from "../review/subject.ts";
import { connectDaemon } from "./client.ts";
import type { CliContext } from "./context.ts";
import { showDefinition } from "./show-definition.ts";
import { showReview } from "./show-review.ts";
import { fetchDefinition, fetchMaterial, parseVersion, subjectHelp } from "./sign-decision.ts";

/** `jr review NAME [vN]`: what there is to read before signing. */
export function command(context: CliContext): Command {
  return new Command("review")
    .description("show what a new version asks for and changes")
    .argument("<name>", subjectHelp)
    .argument("[version]", "such as v3; the one that waits where none is given")
    .action(async (word: string, version: string | undefined) => {
      const { kind, name } = parseSubject(word);
      if (kind !== "job") {
        const found = await fetchDefinition(await connectDaemon(context), { kind, name }, parseVersion(version));
        return showDefinition(context, composeDefinitionReview(found), { paged: true });
      }
      const material = await fetchMaterial(await connectDaemon(context), name, parseVersion(version));
      await showReview(context, composeReview(material, new Date()), { paged: true });
    });
}
