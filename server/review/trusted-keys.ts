import { statSync } from "node:fs";
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { readPrivateFile, replaceFile } from "../private-file.ts";
import { keyId, type PublicKey } from "./public-key.ts";

const trustedSchema = z.strictObject({
  version: z.literal(1),
  keys: z.array(
    z.strictObject({
      id: z.string(),
      raw: z.string(),
      protected: z.boolean(),
      label: z.string().nullable(),
      added_at: z.string(),
    }),
  ),
});

/** The root keys that this machine trusts; none before `jr setup`. Throws `key_unsafe`, `key_untrusted`. */
export function readTrustedKeys(home: Home): readonly PublicKey[] {
  const text = readPrivateFile(home.trustedKeys);
  if (text === undefined) return [];
  try {
    return parseTrustedKeys(text);
  } catch (cause) {
    throw new UserError("key_untrusted", `${home.trustedKeys} cannot be read, so no key is trusted.`, {
      next: "restore that file, or remove it and run jr setup again",
      cause,
    });
  }
}

/** The keys in the text of such a file. */
export function parseTrustedKeys(text: string): readonly PublicKey[] {
  const { keys } = trustedSchema.parse(JSON.parse(text));
  return keys.map(({ raw, protected: isProtected, label }) => ({
    id: keyId(raw),
    raw,
    protected: isProtected,
    label,
  }));
}

/** Adds a root key of this machine; one that stands there already changes nothing. */
export function addTrustedKey(home: Home, key: PublicKey, now: Date): void {
  const text = readPrivateFile(home.trustedKeys);
  const keys = text === undefined ? [] : trustedSchema.parse(JSON.parse(text)).keys;
  if (keys.some(({ raw }) => raw === key.raw)) return;
  const added = { id: key.id, raw: key.raw, protected: key.protected, label: key.label, added_at: now.toISOString() };
  replaceFile(home.trustedKeys, `${JSON.stringify({ version: 1, keys: [...keys, added] }, null, 2)}\n`);
}

/** Changes whenever the file does; cheap enough for each call. */
export function trustedKeysStamp(home: Home): string {
  const stat = statSync(home.trustedKeys, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "none" : `${stat.ino}.${stat.mtimeNs}.${stat.size}.${stat.mode}`;
}
