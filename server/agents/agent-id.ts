import { UserError } from "../errors.ts";

/** An agent's handle as people and agents see it: `A7`. */
export function formatAgentId(id: number): string {
  return `A${id}`;
}

/** The number in `A7`, `a7`, `7` or 7. Throws invalid_argument for anything else. */
export function parseAgentId(handle: string | number): number {
  const digits = /^[Aa]?(\d{1,15})$/.exec(String(handle).trim())?.[1];
  if (digits === undefined) {
    throw new UserError("invalid_argument", `"${String(handle).slice(0, 40)}" is not an agent; agents look like A7.`, {
      next: "agent_read {}",
    });
  }
  return Number(digits);
}
