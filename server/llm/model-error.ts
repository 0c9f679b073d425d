import { messageOf, UserError } from "../errors.ts";
import { shellQuote } from "../person-command.ts";
import { OllamaRefusal } from "./ollama-client.ts";

/** What a stream of the server fails with once nothing has come for too long. */
export class ModelStalled extends Error {
  override readonly name = "ModelStalled";
}

/** Statuses of a server that is there but busy or not ready, or of a proxy whose server is gone. */
const notNow = [429, 502, 503, 504];
const startIt = "see that Ollama runs: ollama serve; ollama.url in config.yaml says where";

/** What went wrong in an exchange with Ollama, as `model_missing`, `model_unavailable` or `model_failed`. */
export function modelError(error: unknown, { model, url }: { model: string; url: string }): UserError {
  if (error instanceof UserError) return error;
  const where = URL.canParse(url) ? new URL(url).host : "its address";
  const unavailable = (why: string) =>
    new UserError("model_unavailable", `Ollama at ${where} ${why}.`, { next: startIt, cause: error });
  if (error instanceof ModelStalled) return unavailable(`went silent while ${model} answered`);
  if (error instanceof OllamaRefusal) {
    if (error.status === 404 && /\bmodel\b/i.test(error.message)) return missing(model, error);
    if (error.status === 404) return unavailable("knows no /api/chat, so it may be another server");
    if (notNow.includes(error.status)) return unavailable(`cannot answer now (${error.status}): ${error.message}`);
    return failed(`${model}: ${error.message || `status ${error.status}`}`, error, adviceOn(error.message));
  }
  // The package says so where a stream ends without its last line.
  if (messageOf(error).startsWith("Did not receive done"))
    return unavailable(`stopped in the middle of ${model}'s answer`);
  if (error instanceof DOMException && error.name === "TimeoutError") return unavailable("does not answer in time");
  // What `fetch` throws, before the answer and within it.
  if (error instanceof TypeError) return unavailable(`does not answer (${networkCode(error)})`);
  const message = messageOf(error).slice(0, 500);
  return failed(`${model}: ${message}`, error, adviceOn(message));
}

function adviceOn(message: string): string {
  if (/\bmemory\b/i.test(message))
    return "choose a smaller model or a smaller context, or make room: ollama ps, ollama stop";
  if (/does not support tools/i.test(message)) return "choose a model that can call tools: ollama show tells";
  return "Ollama's own log says more";
}

function missing(model: string, cause: unknown): UserError {
  return new UserError("model_missing", `The model ${model} is not on this machine.`, {
    next: `ollama pull ${shellQuote(model)}`,
    cause,
  });
}

function failed(message: string, cause: unknown, next: string): UserError {
  return new UserError("model_failed", message, { next, cause });
}

function networkCode({ cause, message }: TypeError): string {
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error && "code" in first ? String(first.code) : message;
}
