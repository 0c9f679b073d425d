import { UserError } from "../errors.ts";

const day = /^\d{4}-\d{2}-\d{2}$/;
const endOfDay = "T23:59:59.000Z";

/** When something is due, as people and agents write it: an instant with its zone, or a day, which counts until it ends in UTC. Throws invalid_argument. */
export function parseDue(written: string): Date {
  const text = written.trim();
  const exact = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.test(text);
  const time = new Date(day.test(text) ? `${text}${endOfDay}` : exact ? text : Number.NaN);
  // Date takes the 30th of February for a day of March.
  const real = !Number.isNaN(time.getTime()) && !Number.isNaN(Date.parse(`${text.slice(0, 10)}T00:00Z`));
  if (real && new Date(`${text.slice(0, 10)}T00:00Z`).toISOString().startsWith(text.slice(0, 10))) return time;
  throw new UserError("invalid_argument", `"${text.replace(/[^\x20-\x7e]+/g, "?").slice(0, 40)}" is no day or time.`, {
    next: 'write one such as "2026-12-01" or "2026-12-01T08:00Z"',
  });
}

/** As `parseDue` reads it. */
export function formatDue(due: Date): string {
  const text = due.toISOString();
  return text.endsWith(endOfDay) ? text.slice(0, 10) : text.replace(/:00\.000Z$/, "Z").replace(/\.000Z$/, "Z");
}
