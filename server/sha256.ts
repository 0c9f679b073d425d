import { createHash } from "node:crypto";

/** SHA-256 of UTF-8 text or bytes, in the form in which every hash of the product is written: `sha256:<64 hex digits>`. */
export function sha256(data: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}
