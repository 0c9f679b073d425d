import { Ollama } from "ollama";
import { fetchOnce } from "../fetch-once.ts";
import { splitCredentials } from "../url-credentials.ts";

/** An answer of the server that is no success; `text` is what it says about it. */
export class OllamaRefusal extends Error {
  override readonly name = "OllamaRefusal";
  readonly status: number;

  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

const longestRefusal = 500;

/**
 * The `ollama` package on one server, for one exchange: it ends with the signal, tells of all that arrives, and throws
 * OllamaRefusal for errors of the server. Redirects are not followed.
 */
export function ollamaClient(options: { url: string; signal: AbortSignal; onBytes?: () => void }): Ollama {
  const { signal, onBytes = () => {} } = options;
  const { url, headers } = splitCredentials(options.url);
  return new Ollama({
    host: url,
    headers,
    // The package's own calls take no signal from outside, and it prints errors to standard output.
    async fetch(input, init) {
      const { method = "GET", body } = init ?? {};
      const request = {
        method,
        headers: [...new Headers(init?.headers)],
        body: typeof body === "string" ? body : null,
      };
      const response = await fetchOnce(String(input), { ...request, signal, redirect: "error" });
      onBytes();
      if (!response.ok) throw new OllamaRefusal(response.status, refusalText(await response.text()));
      const { status, body: stream } = response;
      return new Response(stream?.pipeThrough(tap(onBytes)), { status });
    },
  });
}

function tap(onBytes: () => void): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller) {
      onBytes();
      controller.enqueue(chunk);
    },
  });
}

/** Ollama answers errors as `{"error": "…"}`. */
function refusalText(body: string): string {
  return errorOf(body).replace(/\s+/g, " ").trim().slice(0, longestRefusal);
}

function errorOf(body: string): string {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === "object" && json !== null && "error" in json ? String(json.error) : body;
  } catch {
    return body;
  }
}
