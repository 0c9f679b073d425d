import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";

/** A call's answer before it is numbered: JSON of its result, or of the error that the job gets. */
export type EffectResult = Readonly<{ ok: boolean; json: string }>;

/** The result of `perform`, or the error that the job sees. Throws on what no job may see: bugs and the store's trouble. */
export async function settleEffect(perform: () => Promise<unknown>): Promise<EffectResult> {
  try {
    return { ok: true, json: JSON.stringify((await perform()) ?? null) };
  } catch (thrown) {
    return effectFailure(thrown);
  }
}

/**
 * The error as the job sees and can catch it: our own, a failed fetch (a TypeError with a cause or none), or an abort.
 * Anything else is a bug or the store's trouble. It is thrown on, which ends the attempt with nothing delivered.
 */
export function effectFailure(thrown: unknown): EffectResult {
  if (!(thrown instanceof UserError)) {
    if (!(thrown instanceof Error) || !(visible.test(thrown.name) || isFetchFailure(thrown))) throw thrown;
    return { ok: false, json: JSON.stringify({ name: thrown.name, message: thrown.message }) };
  }
  const { code, next } = thrown;
  const name = code === "permission_denied" ? "PermissionError" : "EffectError";
  const message = next ? `${thrown.message} ${next}` : thrown.message;
  return { ok: false, json: JSON.stringify({ name, message, code }) };
}

const visible = /^(Abort|Timeout)Error$/;

function isFetchFailure(thrown: Error): boolean {
  return thrown.name === "TypeError" && thrown.message.startsWith("fetch failed");
}

/** What the job gets for arguments that do not fit, and for what `prepare` refuses. */
export function argumentFailure(op: string, thrown: unknown): EffectResult {
  if (thrown instanceof UserError) return effectFailure(thrown);
  const detail = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
  return effectFailure(new UserError("invalid_argument", `${op}: ${detail}`));
}
