import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import { UserError } from "../errors.ts";

/** A public key as it is shown, exported and trusted. */
export type PublicKey = Readonly<{
  /** First 20 hex digits of the SHA-256 of the raw key. */
  id: string;
  /** Base64 of the 32 raw bytes. */
  raw: string;
  /** Whether its owner says that a passphrase protects the private part. */
  protected: boolean;
  label: string | null;
}>;

const label = "jobrunner-ed25519";
/** What stands before the 32 raw bytes in the SPKI form (RFC 8410). */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** The id of a raw public key in base64. */
export function keyId(raw: string): string {
  return createHash("sha256").update(Buffer.from(raw, "base64")).digest("hex").slice(0, 20);
}

/** Whether the base64 signature over the text was made with that raw public key. Never throws. */
export function verifySignature(raw: string, text: string, signature: string): boolean {
  return isSignature(openPublicKey(raw), text, signature);
}

/** The key of raw bytes in base64; undefined where they are none. */
function openPublicKey(raw: string): KeyObject | undefined {
  try {
    const spki = Buffer.concat([spkiPrefix, Buffer.from(raw, "base64")]);
    return createPublicKey({ key: spki, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

function isSignature(key: KeyObject | undefined, text: string, signature: string): boolean {
  const bytes = Buffer.from(signature, "base64");
  // One signature has one spelling, so that a copy with another cannot pass for a new decision.
  if (key === undefined || bytes.length !== 64 || bytes.toString("base64") !== signature) return false;
  try {
    return verify(null, Buffer.from(text), key, bytes);
  } catch {
    return false;
  }
}

/** Most keys that are kept open: people sign with few, and whoever writes rows must not fill the memory with others. */
const mostOpenKeys = 50;

/** Keys by their raw bytes, opened once: a chain has thousands of signatures by a few of them. */
export type OpenKeys = Readonly<{
  idOf(raw: string): string;
  verify(raw: string, text: string, signature: string): boolean;
}>;

/** Makes an empty set of open keys. */
export function createOpenKeys(): OpenKeys {
  const known = new Map<string, Readonly<{ id: string; key: KeyObject | undefined }>>();
  const open = (raw: string) => {
    const found = known.get(raw) ?? { id: keyId(raw), key: openPublicKey(raw) };
    if (known.size < mostOpenKeys) known.set(raw, found);
    return found;
  };
  return {
    idOf: (raw) => open(raw).id,
    verify: (raw, text, signature) => isSignature(open(raw).key, text, signature),
  };
}

/** One line that another person or machine can be given: `jobrunner-ed25519 <base64> protected|unprotected [label]`. */
export function publicKeyLine(key: PublicKey): string {
  return [label, key.raw, key.protected ? "protected" : "unprotected", ...(key.label === null ? [] : [key.label])].join(
    " ",
  );
}

/** Reads what `publicKeyLine` wrote. Throws `invalid_argument`. */
export function parsePublicKeyLine(line: string): PublicKey {
  const match =
    /^jobrunner-ed25519 ([A-Za-z0-9+/]{43}=) (protected|unprotected)(?: ([\x21-\x7e][\x20-\x7e]{0,79}))?$/.exec(
      line.trim(),
    );
  const raw = match?.[1];
  if (raw === undefined || Buffer.from(raw, "base64").toString("base64") !== raw) {
    throw new UserError(
      "invalid_argument",
      `That is no public key: expected "${label} <key> protected|unprotected [label]".`,
      {
        next: "jr keys export, on the machine of its owner",
      },
    );
  }
  return { id: keyId(raw), raw, protected: match?.[2] === "protected", label: match?.[3] ?? null };
}

/** The `subject` line of a trust decision, and back; undefined where it is none. */
export function trustSubject(key: PublicKey): string {
  return `${key.raw} ${key.protected ? "protected" : "unprotected"}`;
}

/** The key that a trust decision's `subject` names; undefined where it names none. */
export function parseTrustSubject(subject: string | null): Omit<PublicKey, "label"> | undefined {
  const match = /^([A-Za-z0-9+/]{43}=) (protected|unprotected)$/.exec(subject ?? "");
  const raw = match?.[1];
  return raw === undefined ? undefined : { id: keyId(raw), raw, protected: match?.[2] === "protected" };
}
