import { createHmac } from "node:crypto";
import { z } from "zod";
import { defineEffect } from "./define-effect.ts";
import { requireSecret, requireSecretGrant } from "./granted-secret.ts";
import { secretToken } from "./placeholders.ts";

const digests = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" } as const;

/** `secrets.hmac(name, data)`: HMAC with the secret's UTF-8 bytes as the key, for APIs that want signed requests. */
export const secretsHmac = defineEffect({
  op: "secrets.hmac",
  kind: "outside",
  args: z.strictObject({
    name: z.string().max(100),
    algorithm: z.enum(["SHA-1", "SHA-256", "SHA-384", "SHA-512"]),
    data: z.string(),
    encoding: z.enum(["hex", "base64"]),
  }),
  safe: () => true,
  allow: (manifest, { name }) => requireSecretGrant(manifest, name),
  // The key is the placeholder here: a digest of the right form that signs nothing.
  rehearse: ({ seed }, { name, algorithm, data, encoding }) =>
    digest(secretToken(seed, name), { algorithm, data, encoding }),
  async perform(context, { name, algorithm, data, encoding }) {
    return digest(requireSecret(context, name), { algorithm, data, encoding });
  },
});

type Signed = Readonly<{ algorithm: keyof typeof digests; data: string; encoding: "hex" | "base64" }>;

function digest(key: string, { algorithm, data, encoding }: Signed): { digest: string } {
  return { digest: createHmac(digests[algorithm], key).update(Buffer.from(data, "base64")).digest(encoding) };
}
