import type { DefinitionReview } from "../definitions/definition-review.ts";
import type { CliContext } from "./context.ts";
import { codeLines, keyLines, loud, reviewWords, type Terminal } from "./review-words.ts";
import { showPaged } from "./show-review.ts";

/** Prints the review of a role, skill, MCP server or command, page by page where a person sits at a terminal. */
export function showDefinition(
  context: CliContext,
  review: DefinitionReview,
  options: { paged: boolean },
): Promise<void> {
  return showPaged(context, (terminal) => definitionTerminal(review, terminal), options);
}

function definitionTerminal(review: DefinitionReview, terminal: Terminal): string {
  const { paint, rule, list, head } = reviewWords(terminal);
  const { subject, version, state, base, hashes } = review;
  const first = base === null && review.active === null;
  return [
    rule,
    `${paint("bold", `${subject} v${version}`)}  ${state}${base === null ? "" : `, compared with v${base}, which is in use`}`,
    ...list([review.description]),
    ...keyLines(review).map((line) => paint(["bold", "red"], line)),
    ...loud(review, first, paint, list),
    ...(review.narrowed.length === 0
      ? []
      : [...head("Narrowed"), ...list(review.narrowed).map((line) => paint("green", line))]),
    ...(review.rejectedNote === null ? [] : [...head("Rejected"), ...list([review.rejectedNote])]),
    ...head("From"),
    ...list([review.origin, `stored ${review.proposedAt}, by ${review.proposedBy}`]),
    ...head("May"),
    ...list(review.may),
    ...list([`limits: ${review.limits}`]),
    ...head(base === null ? "Text" : `Text, changes since v${base}`),
    ...codeLines(review, paint),
    ...head("Hashes"),
    ...list([`source   ${hashes.source}`, `bundle   ${hashes.bundle}`, `manifest ${hashes.manifest}`]),
    rule,
  ].join("\n");
}
