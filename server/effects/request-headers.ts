import { UserError } from "../errors.ts";
import { version } from "../version.ts";

export type HeaderList = readonly (readonly [name: string, value: string])[];

/** These frame the message or route it, so the parent alone sets them. */
const reserved = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

const defaults: HeaderList = [
  ["accept", "*/*"],
  ["accept-encoding", "gzip, deflate, br"],
  ["user-agent", `JobRunner/${version}`],
];

/** Throws `invalid_argument` for headers that a job may not set. */
export function checkHeaders(headers: HeaderList): void {
  for (const [name, value] of headers) {
    if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name))
      throw new UserError("invalid_argument", `"${name.slice(0, 80)}" is no valid header name.`);
    if (reserved.has(name.toLowerCase()) || /^proxy-/i.test(name)) {
      throw new UserError("invalid_argument", `The header ${name} is set by JobRunner itself: leave it out.`);
    }
    checkHeaderValue(name, value);
  }
}

/** Throws `invalid_argument`, without the value, where it would break the header apart. */
export function checkHeaderValue(name: string, value: string): void {
  if (!/[\0\r\n]|[^\0-\xff]/.test(value)) return;
  throw new UserError(
    "invalid_argument",
    `The value of the header ${name} holds a line break, NUL or a character outside of Latin-1.`,
  );
}

/** The headers with those that are always sent. */
export function withDefaults(headers: HeaderList, idempotencyKey: string | null): HeaderList {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const own: HeaderList = idempotencyKey === null ? defaults : [...defaults, ["idempotency-key", idempotencyKey]];
  return [...headers, ...own.filter(([name]) => !names.has(name))];
}
