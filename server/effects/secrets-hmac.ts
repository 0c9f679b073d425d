import { createHmac } from "node:crypto";
import { z } from "zod";
import { defineEffect } from "./define-effect.ts";
import { requireSecret } from "./granted-secret.ts";

const digests = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" } as const;

/** `secrets.hmac(name, data)`: HMAC with the secret's UTF-8 bytes as the key, for APIs that want signed requests. */
export const secretsHmac = defineEffect({
  op: "secrets.hmac",
  args: z.strictObject({
    name: z.string().max(100),
    algorithm: z.enum(["SHA-1", "SHA-256", "SHA-384", "SHA-512"]),
    data: z.string(),
    encoding: z.enum(["hex", "base64"]),
  }),
  safe: () => true,
  own: false,
  async perform(context, { name, algorithm, data, encoding }) {
    const hmac = createHmac(digests[algorithm], requireSecret(context, name));
    return { digest: hmac.update(Buffer.from(data, "base64")).digest(encoding) };
  },
});
