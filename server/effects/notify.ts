import { z } from "zod";
import { UserError } from "../errors.ts";
import type { Manifest } from "../jobs/manifest.ts";
import { defineEffect } from "./define-effect.ts";

const args = z.strictObject({
  target: z.string().min(1).max(100).nullable(),
  title: z.string().max(1_000).nullable(),
  text: z.string().min(1),
  urgency: z.enum(["low", "normal", "high"]),
});

/** `notify`: tells the person something, over a target that the manifest names. Receivers that know idempotency keys get one. */
export const notifyEffect = defineEffect({
  op: "notify",
  kind: "outside",
  args,
  safe: () => false,
  allow(manifest, { target }) {
    const granted = manifest.permissions.notify;
    const name = targetOf(manifest, target);
    if (granted.includes(name)) return;
    throw new UserError(
      "permission_denied",
      target === null && granted.length > 1
        ? `notify: the signed manifest names several targets; say which: ${granted.join(", ")}.`
        : `notify: the signed manifest does not name the target ${name}; declare permissions.notify: ["${name}"].`,
    );
  },
  rehearse: ({ manifest }, { target }) => ({ target: targetOf(manifest, target) }),
  async perform({ services, manifest, job, runId, attempt, seq, signal }, { target, title, text, urgency }) {
    const { requestBytes } = manifest.limits;
    if (Buffer.byteLength(text) > requestBytes) {
      throw new UserError(
        "limit_exceeded",
        `The message is longer than ${requestBytes} bytes; limits.requestBytes in defineJob raises that.`,
      );
    }
    const to = targetOf(manifest, target);
    const message = { target: to, title: title ?? job, text, urgency };
    await services.notify(message, { idempotencyKey: `${runId}-${attempt}-${seq}`, signal });
    return { target: to };
  },
});

/** Left out, it is the only one that is granted; the notifier knows which target "default" is. */
function targetOf({ permissions }: Manifest, target: string | null): string {
  const [only, ...others] = permissions.notify;
  return target ?? (only !== undefined && others.length === 0 ? only : "default");
}
