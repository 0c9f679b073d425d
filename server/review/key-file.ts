import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  scryptSync,
} from "node:crypto";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { readPrivateFile, replaceFile } from "../private-file.ts";
import { keyId, type PublicKey } from "./public-key.ts";

const base64 = z.string().regex(/^[A-Za-z0-9+/]+={0,2}$/);
const shared = { version: z.literal(1), public: base64, label: z.string().nullable(), created_at: z.string() };
const scrypt = z.strictObject({
  name: z.literal("scrypt"),
  // Bounds, so that an edited file can neither weaken the next save nor eat the memory.
  n: z
    .int()
    .min(2 ** 17)
    .max(2 ** 20),
  r: z.literal(8),
  p: z.literal(1),
  salt: base64,
});
const keyFileSchema = z.discriminatedUnion("protected", [
  z.strictObject({
    ...shared,
    protected: z.literal(true),
    kdf: scrypt,
    cipher: z.literal("aes-256-gcm"),
    iv: base64,
    tag: base64,
    private: base64,
  }),
  z.strictObject({ ...shared, protected: z.literal(false), private: base64 }),
]);

/** What is in a key file; the private part is encrypted where `protected` is true. */
export type KeyFile = Readonly<z.infer<typeof keyFileSchema>>;

/** A key ready to sign. Lives in the person's own process only. */
export type SigningKey = Readonly<{ publicKey: PublicKey; privateKey: KeyObject }>;

/** Reads a key file. Throws `key_missing`, `key_unsafe`. */
export function readKeyFile(path: string): KeyFile {
  const text = readPrivateFile(path);
  if (text === undefined)
    throw new UserError("key_missing", "There is no signing key on this machine yet.", { next: "jr setup" });
  try {
    return keyFileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new UserError("key_unsafe", `${path} is no key file of ours, or was damaged.`, {
      next: "restore it from a backup",
      cause,
    });
  }
}

/** Makes an Ed25519 key and its file's content; a null passphrase leaves the private part unprotected. */
export function createKeyFile(options: { passphrase: string | null; label: string | null; now: Date }): KeyFile {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("base64");
  const secret = privateKey.export({ format: "der", type: "pkcs8" });
  const head = { version: 1, public: raw, label: options.label, created_at: options.now.toISOString() } as const;
  if (options.passphrase === null) return { ...head, protected: false, private: secret.toString("base64") };
  const kdf = { name: "scrypt", n: 2 ** 17, r: 8, p: 1, salt: randomBytes(32).toString("base64") } as const;
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", deriveKey(options.passphrase, kdf), iv);
  cipher.setAAD(Buffer.from(raw));
  const sealed = Buffer.concat([cipher.update(secret), cipher.final()]);
  secret.fill(0);
  return {
    ...head,
    protected: true,
    kdf,
    cipher: "aes-256-gcm",
    iv: iv.toString("base64"),
    tag: cipher.getAuthTag().toString("base64"),
    private: sealed.toString("base64"),
  };
}

/** Writes a key file, mode 0600, durably. */
export function writeKeyFile(path: string, key: KeyFile): void {
  replaceFile(path, `${JSON.stringify(key, null, 2)}\n`);
}

/** Opens the private part. The passphrase is ignored for an unprotected key. Throws `wrong_passphrase`. */
export function openKey(file: KeyFile, passphrase: string): SigningKey {
  const secret = file.protected ? decrypt(file, passphrase) : Buffer.from(file.private, "base64");
  const privateKey = createPrivateKey({ key: secret, format: "der", type: "pkcs8" });
  secret.fill(0);
  return { publicKey: publicKeyOf(file), privateKey };
}

/** The public part, for which no passphrase is needed. */
export function publicKeyOf(file: KeyFile): PublicKey {
  return { id: keyId(file.public), raw: file.public, protected: file.protected, label: file.label };
}

function decrypt(file: KeyFile & { protected: true }, passphrase: string): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", deriveKey(passphrase, file.kdf), Buffer.from(file.iv, "base64"));
  decipher.setAAD(Buffer.from(file.public));
  decipher.setAuthTag(Buffer.from(file.tag, "base64"));
  try {
    return Buffer.concat([decipher.update(Buffer.from(file.private, "base64")), decipher.final()]);
  } catch (cause) {
    throw new UserError("wrong_passphrase", "That passphrase does not open the key.", { next: "try again", cause });
  }
}

function deriveKey(passphrase: string, { n, r, p, salt }: z.infer<typeof scrypt>): Buffer {
  // scrypt needs 128·N·r bytes; Node's default cap is lower. NFKC, so that one passphrase is one key on every keyboard.
  return scryptSync(passphrase.normalize("NFKC"), Buffer.from(salt, "base64"), 32, { N: n, r, p, maxmem: 256 * n * r });
}
