import { createHash } from "node:crypto";

/*
 * Pure functions that the standard library lends to the guest: same answer for the same question, so they are not
 * journalled. Bytes travel as strings with one character per byte.
 */

type Compute = (a: string, b: string) => string;

const hashes: Record<string, string> = {
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};
const urlParts = [
  "href",
  "origin",
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "hash",
] as const;
const settable = new Set<string>(urlParts.filter((part) => part !== "origin"));

class NamedError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

function partsOf(url: URL): string {
  return JSON.stringify(Object.fromEntries(urlParts.map((part) => [part, url[part]])));
}

/** Forgiving base64 of the Infra standard. */
function forgivingBase64(text: string): string {
  const packed = text
    .replace(/[\t\n\f\r ]/g, "")
    .replace(/^((?:.{4})*.{2,3}?)={1,2}$/, (whole, body: string) => (whole.length % 4 === 0 ? body : whole));
  if (packed.length % 4 === 1 || !/^[A-Za-z0-9+/]*$/.test(packed))
    throw new NamedError("InvalidCharacterError", "the text is not base64");
  return Buffer.from(packed, "base64").toString("latin1");
}

const functions: Record<string, Compute> = {
  utf8: (text) => Buffer.from(text, "utf8").toString("latin1"),
  base64: (binary) => Buffer.from(binary, "latin1").toString("base64"),
  unbase64: (text) => Buffer.from(text, "base64").toString("latin1"),
  atob: forgivingBase64,
  encoding: (label) => {
    try {
      return new TextDecoder(label).encoding;
    } catch {
      throw new NamedError("RangeError", `the encoding "${label}" is not supported`);
    }
  },
  decode: (binary, options) => {
    const [encoding = "utf-8", flags = ""] = options.split("|");
    const decoder = new TextDecoder(encoding, { fatal: flags.includes("f"), ignoreBOM: flags.includes("b") });
    try {
      return decoder.decode(Buffer.from(binary, "latin1"));
    } catch {
      throw new NamedError("TypeError", `the bytes are not valid ${encoding}`);
    }
  },
  digest: (binary, name) => {
    const hash = hashes[name.toUpperCase()];
    if (hash === undefined) throw new NamedError("NotSupportedError", `the digest "${name}" is not supported`);
    return createHash(hash).update(binary, "latin1").digest().toString("latin1");
  },
  url: (href, base) => {
    const parsed = base === "" ? URL.parse(href) : URL.parse(href, base.slice(1));
    if (parsed === null) throw new NamedError("TypeError", `Invalid URL: ${href.slice(0, 200)}`);
    return partsOf(parsed);
  },
  "url.set": (target, value) => {
    const [href, part]: unknown[] = JSON.parse(target);
    const url = new URL(String(href));
    if (typeof part !== "string" || !settable.has(part)) throw new NamedError("TypeError", "no such part of a URL");
    if (part === "href" && URL.parse(value) === null) throw new NamedError("TypeError", "Invalid URL");
    Reflect.set(url, part, value);
    return partsOf(url);
  },
  "query.parse": (query) => JSON.stringify([...new URLSearchParams(query)]),
  "query.format": (pairs) => new URLSearchParams(JSON.parse(pairs)).toString(),
};

/** Answers "=result", or "!Name:message" for an error that the guest throws. Never throws itself. */
export function computeForGuest(op: unknown, a: unknown, b: unknown): string {
  try {
    const run = typeof op === "string" && Object.hasOwn(functions, op) ? functions[op] : undefined;
    if (run === undefined || typeof a !== "string" || typeof b !== "string") return "!TypeError:no such function";
    return `=${run(a, b)}`;
  } catch (thrown) {
    const name = thrown instanceof NamedError ? thrown.name : "TypeError";
    return `!${name}:${thrown instanceof Error ? thrown.message : "failed"}`;
  }
}
