import { z } from "zod";
import { defineEffect } from "./define-effect.ts";
import { requireSecret, requireSecretGrant } from "./granted-secret.ts";
import { grantedSecrets, secretToken } from "./placeholders.ts";

/** `secrets.get(name)`: the placeholder, never the value. */
export const secretsGet = defineEffect({
  op: "secrets.get",
  kind: "outside",
  args: z.strictObject({ name: z.string().max(100) }),
  safe: () => true,
  allow: (manifest, { name }) => requireSecretGrant(manifest, name),
  rehearse: ({ seed }, { name }) => ({ placeholder: secretToken(seed, name) }),
  async perform(context, { name }) {
    requireSecret(context, name);
    const [secret] = grantedSecrets(context.seed, [name], context.secrets);
    return { placeholder: secret?.placeholder ?? secretToken(context.seed, name) };
  },
});
