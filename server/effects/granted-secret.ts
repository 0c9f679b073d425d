import { UserError } from "../errors.ts";
import type { Manifest } from "../jobs/manifest.ts";
import type { EffectContext } from "./define-effect.ts";
import { valueProblem } from "./secret-values.ts";

/** Throws `permission_denied` where the manifest does not grant that secret. */
export function requireSecretGrant({ permissions }: Manifest, name: string): void {
  if (Object.hasOwn(permissions.secrets, name)) return;
  throw new UserError(
    "permission_denied",
    `This job was not granted the secret ${name}: add it with the hosts that may receive it to permissions.secrets in defineJob, such as { ${name}: ["api.example.org"] }.`,
  );
}

/** The value of a secret that the manifest grants. Throws `permission_denied`, `secret_not_found`, `invalid_config`. */
export function requireSecret({ manifest, secrets }: EffectContext, name: string): string {
  requireSecretGrant(manifest, name);
  const value = secrets.get(name);
  if (value === undefined) {
    throw new UserError("secret_not_found", `No value is set for the secret ${name}.`, {
      next: `The person sets it with: jr secrets set ${name}`,
    });
  }
  const problem = valueProblem(value);
  if (problem !== undefined) throw new UserError("invalid_config", `The secret ${name} cannot be used: ${problem}.`);
  return value;
}
