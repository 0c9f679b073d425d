import { setTimeout as delay } from "node:timers/promises";

const maxBytes = 32 * 1024 * 1024;
/** Before a server that could not be reached is tried again. */
const pausesMs = [200, 400, 800];
/** Nothing was sent, so nothing can happen twice. */
const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);

/**
 * `fetch` for an MCP server: one that cannot be reached is tried again, an error says why, and an answer breaks off once it has more
 * bytes than any message may have.
 */
export async function serverFetch(
  url: string | URL,
  init?: RequestInit,
  [pauseMs, ...later]: readonly number[] = pausesMs,
): Promise<Response> {
  try {
    return capped(await fetch(url, init));
  } catch (thrown) {
    init?.signal?.throwIfAborted();
    const { code, message } = causeOf(thrown);
    if (pauseMs === undefined || !unreachable.has(code)) throw new Error(message || code, { cause: thrown });
    await delay(pauseMs, undefined, init?.signal ? { signal: init.signal } : {});
    return await serverFetch(url, init, later);
  }
}

function capped(response: Response): Response {
  if (response.body === null) return response;
  let total = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(piece, controller) {
        total += piece.byteLength;
        if (total > maxBytes) controller.error(new Error(`the answer has more than ${maxBytes / 1024 / 1024} MiB`));
        else controller.enqueue(piece);
      },
    }),
  );
  const { status, statusText, headers } = response;
  return new Response(counted, { status, statusText, headers });
}

/** What lies below Node's "fetch failed". Of several addresses that were tried there is a code alone. */
function causeOf(thrown: unknown): { code: string; message: string } {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  return { code, message: cause instanceof Error ? cause.message : String(cause) };
}
