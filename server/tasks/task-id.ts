import { UserError } from "../errors.ts";

/** A task's handle as people and agents see it: `T12`. */
export function formatTaskId(id: number): string {
  return `T${id}`;
}

/** The number in `T12`, `t12`, `12` or 12. Throws invalid_argument for anything else. */
export function parseTaskId(handle: string | number): number {
  const digits = /^[Tt]?(\d{1,15})$/.exec(String(handle).trim())?.[1];
  if (digits === undefined) {
    throw new UserError("invalid_argument", `"${String(handle).slice(0, 40)}" is not a task; tasks look like T12.`, {
      next: "task_list",
    });
  }
  return Number(digits);
}
