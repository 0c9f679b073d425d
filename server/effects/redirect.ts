import { networkError } from "./network-error.ts";
import type { Outgoing } from "./send-request.ts";

const redirectStatuses = [301, 302, 303, 307, 308];
const bodyHeaders = ["content-encoding", "content-language", "content-location", "content-type"];
const credentialHeaders = ["authorization", "cookie"];

/** Where a response redirects to, as the server wrote it; undefined where it does not. */
export function redirectLocation(response: { status: number; headers: Outgoing["headers"] }): string | undefined {
  if (!redirectStatuses.includes(response.status)) return undefined;
  return response.headers.find(([name]) => name === "location")?.[1];
}

/**
 * The next request, with method, body and headers changed as the Fetch standard says (section "HTTP-redirect fetch").
 * Throws what `networkError` makes where it would say in clear text what the job said over TLS.
 */
export function followRedirect(
  sent: Outgoing,
  { status, to, bearsSecret }: { status: number; to: URL; bearsSecret(value: string): boolean },
): Outgoing {
  if (sent.url.protocol === "https:" && to.protocol === "http:") {
    throw networkError(`${sent.url.host} redirects from https to http, which is not followed`);
  }
  const { method } = sent;
  const toGet = (status <= 302 && method === "POST") || (status === 303 && method !== "GET" && method !== "HEAD");
  const crossOrigin = to.origin !== sent.url.origin;
  const headers = sent.headers.filter(([written, value]) => {
    const name = written.toLowerCase();
    if (toGet && bodyHeaders.includes(name)) return false;
    return !crossOrigin || !(credentialHeaders.includes(name) || bearsSecret(value));
  });
  return { url: to, method: toGet ? "GET" : method, headers, body: toGet ? null : sent.body };
}
