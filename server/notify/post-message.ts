import { fetchOnce } from "../fetch-once.ts";
import { splitCredentials } from "../url-credentials.ts";
import { Undelivered } from "./undelivered.ts";

/** How a message is sent, whatever its kind. */
export type Delivery = Readonly<{ idempotencyKey: string; signal: AbortSignal }>;

const timeoutMs = 10_000;

/** One POST; only a 2xx is a success and redirects are none. Throws Undelivered and the signal's reason, never the URL. */
export async function postMessage(
  address: string,
  { headers = {}, body }: { headers?: Readonly<Record<string, string>>; body: string },
  { idempotencyKey, signal }: Delivery,
): Promise<void> {
  const { url, headers: credentials } = splitCredentials(address);
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetchOnce(url, {
      method: "POST",
      headers: { ...headers, ...credentials, "idempotency-key": idempotencyKey, "user-agent": "JobRunner" },
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, late]),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Undelivered(`it answered ${response.status}${hint(response.status)}`);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Undelivered) throw error;
    throw new Undelivered(late.aborted ? `no answer within ${timeoutMs / 1_000} s` : reasonOf(error));
  }
}

/** A POST of JSON. */
export function postJson(address: string, body: object, delivery: Delivery): Promise<void> {
  const headers = { "content-type": "application/json; charset=utf-8" };
  return postMessage(address, { headers, body: JSON.stringify(body) }, delivery);
}

function hint(status: number): string {
  if (status === 429) return ", too many messages";
  if (status >= 300 && status < 400) return ", a redirect: its url in config.yaml is out of date";
  return status === 401 || status === 403 || status === 404 || status === 410
    ? ": its url in config.yaml is no longer valid"
    : "";
}

/** The network's code alone: whole messages name the host, and the addresses of webhooks are secrets. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  return first instanceof Error && "code" in first && typeof first.code === "string"
    ? first.code
    : "the network failed";
}
