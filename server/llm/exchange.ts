import type { Ollama } from "ollama";
import { ModelStalled, modelError } from "./model-error.ts";
import { ollamaClient } from "./ollama-client.ts";

type Settings = Readonly<{
  url: string;
  /** Named in errors. */
  model: string;
  signal: AbortSignal;
  /** Longest silence, loading the model and reading the prompt included. */
  stallMs: number;
}>;

/**
 * One exchange with an Ollama server, on a connection of its own that ends with it. Throws UserError `model_missing`,
 * `model_unavailable`, `model_failed`, and the signal's reason.
 */
export async function exchange<T>(settings: Settings, talk: (client: Ollama) => Promise<T>): Promise<T> {
  const { url, model, signal, stallMs } = settings;
  const stop = new AbortController();
  const silence = setTimeout(() => stop.abort(new ModelStalled()), stallMs);
  try {
    const client = ollamaClient({
      url,
      signal: AbortSignal.any([signal, stop.signal]),
      onBytes: () => silence.refresh(),
    });
    const answer = await talk(client);
    signal.throwIfAborted();
    return answer;
  } catch (error) {
    throw signal.aborted ? signal.reason : modelError(error, { model, url });
  } finally {
    clearTimeout(silence);
    // Ollama goes on generating until the connection is closed, and a stream that is left half read keeps it open.
    stop.abort();
  }
}
