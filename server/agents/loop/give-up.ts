import type { AgentError } from "../agent-error.ts";
import { modelText } from "../model-text.ts";
import type { Brief } from "./brief.ts";
import type { Conversation } from "./conversation.ts";
import type { LoopHost } from "./loop-host.ts";
import type { Step } from "./step.ts";

/** Why a model is not asked any more. `final`: nor is any other. */
export type Trouble = AgentError & Readonly<{ final?: boolean | undefined }>;

/** Hands the task to the next model, recorded; the error that ends it all where there is none. */
export async function giveUp(
  { models }: Brief,
  host: LoopHost,
  { candidate }: Conversation,
  { final, ...error }: Trouble,
  take: (step: Step) => void,
): Promise<AgentError | null> {
  const next = candidate + 1;
  if (final === true || next >= models.length) {
    const asked = models.length > 1 ? ` (${models.slice(0, next).map(modelText).join(", then ")})` : "";
    return { ...error, message: `${error.message}${asked}` };
  }
  const request = { from: candidate, to: next, reason: error.message, cause: error.reason };
  const step = { kind: "escalation", request, result: {} } as const;
  await host.note(step);
  take(step);
  return null;
}
