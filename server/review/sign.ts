import { sign } from "node:crypto";
import { buildDecisionText, type Decision } from "./canonical-text.ts";
import { decisionHash } from "./chain.ts";
import type { SigningKey } from "./key-file.ts";

/** A decision as it travels to the daemon. `hash` is what the next decision names as its previous. */
export type SignedDecision = Readonly<{ text: string; signature: string; hash: string }>;

/** What a person decides; the signer's key and what does not apply are filled in. */
export type DecisionDraft = Pick<Decision, "kind" | "name" | "decision" | "time" | "previous"> & Partial<Decision>;

/** Signs in this process. */
export function signDecision(key: SigningKey, draft: DecisionDraft): SignedDecision {
  const text = buildDecisionText({
    version: null,
    source: null,
    bundle: null,
    manifest: null,
    compiler: null,
    runtime: null,
    subject: null,
    note: null,
    ...draft,
    key: key.publicKey.raw,
  });
  const signature = sign(null, Buffer.from(text), key.privateKey).toString("base64");
  return { text, signature, hash: decisionHash(text, signature) };
}
