import { UserError } from "../errors.ts";
import type { Manifest } from "../jobs/manifest.ts";

/** The bytes of base64 that a job sends out under that name. Throws `limit_exceeded` past limits.requestBytes. */
export function requireSendable({ limits }: Manifest, data: string, name: string): Buffer {
  const bytes = Buffer.from(data, "base64");
  if (bytes.length <= limits.requestBytes) return bytes;
  throw new UserError(
    "limit_exceeded",
    `"${name}" would get ${bytes.length} bytes, more than ${limits.requestBytes}; limits.requestBytes in defineJob raises that.`,
  );
}
