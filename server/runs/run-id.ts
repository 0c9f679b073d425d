import { UserError } from "../errors.ts";

/** A run's handle as people and agents see it: `R152`. */
export function formatRunId(id: number): string {
  return `R${id}`;
}

/** The number in `R152`, `r152`, `152` or 152. Throws invalid_argument for anything else. */
export function parseRunId(handle: string | number): number {
  const digits = /^[Rr]?(\d{1,15})$/.exec(String(handle).trim())?.[1];
  if (digits === undefined) {
    throw new UserError("invalid_argument", `"${String(handle).slice(0, 40)}" is not a run; runs look like R152.`, {
      next: "run_list",
    });
  }
  return Number(digits);
}
