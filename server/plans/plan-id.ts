import { UserError } from "../errors.ts";

/** A plan's handle as people and agents see it: `P3`. */
export function formatPlanId(id: number): string {
  return `P${id}`;
}

/** The number in `P3`, `p3`, `3` or 3. Throws invalid_argument for anything else. */
export function parsePlanId(handle: string | number): number {
  const digits = /^[Pp]?(\d{1,15})$/.exec(String(handle).trim())?.[1];
  if (digits === undefined) {
    throw new UserError("invalid_argument", `"${String(handle).slice(0, 40)}" is not a plan; plans look like P3.`, {
      next: 'plan_control {"action": "list"}',
    });
  }
  return Number(digits);
}
