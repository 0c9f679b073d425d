import { anySpelling } from "./any-spelling.ts";
import type { GrantedSecret } from "./placeholders.ts";
import { secretParts } from "./secret-parts.ts";

/** Replaces values of secrets, however they are spelled, by their placeholders. */
export type Mask = Readonly<{
  text(text: string): string;
  bytes(bytes: Buffer): Buffer;
  /** Names of the secrets that the text gives away. */
  reveals(text: string): string[];
}>;

/** Characters of a value that one regular expression looks for; with every spelling that is some 100 KB of it. */
const pieceLength = 1_000;

/**
 * Finds values, and the parts of values that are URLs, raw, percent-encoded, JSON-escaped and in base64;
 * a service that hides them otherwise is not caught.
 */
export function createMask(secrets: readonly GrantedSecret[]): Mask {
  // Longest first, so that a value goes before its own parts and before another one that it begins with.
  const hidden = secrets
    .flatMap((secret) => secretParts(secret).map((text) => ({ text, secret })))
    .sort((a, b) => b.text.length - a.text.length)
    .flatMap(({ text, secret }) => inPieces(text).map((piece) => ({ secret, pattern: patternOf(piece) })));
  const mask = (text: string) =>
    hidden.reduce(
      (masked, { secret, pattern }) => masked.replace(pattern, (found) => replacement(found, secret)),
      text,
    );
  return {
    text: mask,
    bytes: (bytes) => {
      // Searched as text of one character per byte, so that what is not UTF-8 stays as it is.
      const before = bytes.toString("latin1");
      const after = mask(before);
      return after === before ? bytes : Buffer.from(after, "latin1");
    },
    reveals: (text) => [
      ...new Set(hidden.flatMap(({ secret, pattern }) => (text.search(pattern) < 0 ? [] : secret.name))),
    ],
  };
}

/** A long value in pieces that are masked each for itself, since a regular expression of it all is too large to compile. */
function inPieces(text: string): string[] {
  const characters = [...text];
  // The last one takes the rest: alone, it could be so short that innocent text holds it.
  const count = Math.max(1, Math.floor(characters.length / pieceLength));
  const endOf = (i: number) => (i === count - 1 ? undefined : (i + 1) * pieceLength);
  return Array.from({ length: count }, (_, i) => characters.slice(i * pieceLength, endOf(i)).join(""));
}

function patternOf(text: string): RegExp {
  return new RegExp([text, ...base64Spellings(text)].map(anySpelling).join("|"), "g");
}

/** What begins like a URL becomes the placeholder URL; a part of one becomes the bare token. */
function replacement(found: string, secret: GrantedSecret): string {
  return /^https?:\/\//i.test(found) ? secret.placeholder : secret.token;
}

/** Base64 of the value at each of the three alignments that it can have in a longer text, without what its neighbours decide. */
function base64Spellings(text: string): string[] {
  const bytes = Buffer.from(text);
  const inner = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    return encoded.slice(Math.ceil((8 * offset) / 6), Math.floor((8 * (offset + bytes.length)) / 6));
  });
  const whole = [bytes.toString("base64"), ...inner];
  return [
    ...new Set(
      whole.flatMap((encoded) => [encoded, encoded.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")]),
    ),
  ];
}
