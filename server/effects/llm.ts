import { z } from "zod";
import { UserError } from "../errors.ts";
import { defineEffect } from "./define-effect.ts";

const args = z.strictObject({
  model: z.string().min(1).max(200),
  messages: z
    .array(z.strictObject({ role: z.enum(["system", "user", "assistant"]), content: z.string() }))
    .min(1)
    .max(1_000),
  schema: z.record(z.string(), z.json()).nullable(),
  temperature: z.number().min(0).max(10).nullable(),
  maxTokens: z.int().positive().nullable(),
  seed: z.int().nullable(),
});

/** `llm.generate`: an answer of a local model that the manifest names; with a schema, as JSON too. */
export const llmGenerate = defineEffect({
  op: "llm.generate",
  kind: "outside",
  args,
  safe: () => true,
  allow({ permissions }, { model }) {
    // Exactly as it is written: another tag is another model.
    if (permissions.llm.includes(model)) return;
    throw new UserError(
      "permission_denied",
      `llm.generate: the signed manifest does not name the model ${model}; declare permissions.llm: ["${model}"].`,
    );
  },
  async perform({ services, manifest, signal, progress }, request) {
    const { requestBytes, responseBytes } = manifest.limits;
    const sent = request.messages.reduce((total, { content }) => total + Buffer.byteLength(content), 0);
    if (sent > requestBytes) throw tooLong("The messages are", requestBytes, "requestBytes");
    const stop = new AbortController();
    const onText = (whole: string) => {
      if (exceeds(whole, responseBytes)) stop.abort(tooLong("The answer is", responseBytes, "responseBytes"));
      else progress(whole);
    };
    const answer = await services.llm(request, { signal: AbortSignal.any([signal, stop.signal]), onText });
    stop.signal.throwIfAborted();
    const { text, tokens, finish } = answer;
    if (exceeds(text, responseBytes)) throw tooLong("The answer is", responseBytes, "responseBytes");
    return { text, ...(request.schema === null ? {} : { json: parseAnswer(request.model, answer) }), tokens, finish };
  },
});

function exceeds(text: string, bytes: number): boolean {
  // A UTF-16 unit has at most three bytes in UTF-8, so that short texts need no counting.
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}

function tooLong(what: string, bytes: number, limit: "requestBytes" | "responseBytes"): UserError {
  return new UserError(
    "limit_exceeded",
    `${what} longer than ${bytes} bytes; limits.${limit} in defineJob raises that.`,
  );
}

function parseAnswer(model: string, { text, finish }: { text: string; finish: "stop" | "length" }): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const hint =
      finish === "length"
        ? "it was cut off: raise maxTokens, or ask for less"
        : "make the schema simpler, or ask a larger model";
    throw new UserError("model_failed", `The answer of ${model} is not JSON; ${hint}.`, { cause });
  }
}
