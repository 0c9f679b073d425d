import { UserError } from "../server/errors.ts";
import type { ToolContext } from "./tool-context.ts";

/** Throws permission_denied where an agent's signed role does not name the job that it wants to start. Hosts may start any. */
export function requireGrantedJob({ agent }: Pick<ToolContext, "agent">, job: string): void {
  if (agent === undefined || agent.jobs.includes(job)) return;
  throw new UserError(
    "permission_denied",
    `Your role does not let you start "${job}". It names: ${agent.jobs.join(", ") || "no job"}.`,
    { next: "say in your answer what should be run" },
  );
}
