import { composeDefinitionReview } from "../definitions/definition-review.ts";
import type { DefinitionKind } from "../store/tables.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { fetchOne } from "./definition-answer.ts";
import { showDefinition } from "./show-definition.ts";
import { jsonText } from "./show-list.ts";
import { fetchDefinition } from "./sign-decision.ts";

/** Shows the version of a definition that is used, or the newest where none is: what it may do, and its text. */
export async function showUsed(
  context: CliContext,
  kind: DefinitionKind,
  name: string,
  { json }: { json?: boolean },
): Promise<void> {
  const client = await connectDaemon(context);
  const { active, newest } = await fetchOne(client, kind, name);
  const review = composeDefinitionReview(await fetchDefinition(client, { kind, name }, active ?? newest.version));
  if (json) print(context, jsonText(review));
  else await showDefinition(context, review, { paged: true });
}
