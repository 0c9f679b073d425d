import { Agent, request } from "undici";
import { messageOf, UserError } from "../errors.ts";
import type { NetGrant } from "../jobs/manifest.ts";
import { decodeBody, responseTooLarge } from "./decode-body.ts";
import { checkedLookup } from "./net-permission.ts";
import { networkError } from "./network-error.ts";
import type { HeaderList } from "./request-headers.ts";

const connectTimeoutMs = 15_000;
/** Also the longest silence within a body. */
const answerTimeoutMs = 120_000;

export type Outgoing = Readonly<{ url: URL; method: string; headers: HeaderList; body: Buffer | null }>;
export type Incoming = Readonly<{ status: number; statusText: string; headers: HeaderList; body: Buffer }>;

/**
 * One request and its whole, decoded response; no redirects, cookies or proxies. Throws what `networkError` makes,
 * `permission_denied` for private addresses, `limit_exceeded` for long responses, and the signal's reason.
 */
export async function sendRequest(
  { url, method, headers, body }: Outgoing,
  { grant, maxBytes, signal }: { grant: NetGrant; maxBytes: number; signal: AbortSignal },
): Promise<Incoming> {
  // A connection of its own for each request: it was checked for this grant and must not serve another.
  const agent = new Agent({
    allowH2: false,
    connect: { lookup: checkedLookup(grant), timeout: connectTimeoutMs },
    headersTimeout: answerTimeoutMs,
    bodyTimeout: answerTimeoutMs,
  });
  try {
    const response = await request(url, { dispatcher: agent, method, headers: headers.flat(), body, signal });
    const received = flatten(response.headers);
    if (response.statusCode > 599) throw networkError(`the status ${response.statusCode} is none that HTTP knows`);
    const raw = await readCapped(response.body, maxBytes);
    const encoding = received.filter(([name]) => name === "content-encoding").map(([, value]) => value);
    const decoded = await decodeBody(raw, encoding.join(","), maxBytes);
    return { status: response.statusCode, statusText: response.statusText, headers: received, body: decoded };
  } catch (error) {
    throw signal.aborted ? signal.reason : toGuestError(error, url);
  } finally {
    await agent.destroy();
  }
}

async function readCapped(chunks: AsyncIterable<unknown>, maxBytes: number): Promise<Buffer> {
  const read: Buffer[] = [];
  let total = 0;
  for await (const chunk of chunks) {
    if (!Buffer.isBuffer(chunk)) continue;
    total += chunk.length;
    if (total > maxBytes) throw responseTooLarge(maxBytes);
    read.push(chunk);
  }
  return Buffer.concat(read);
}

function flatten(headers: Readonly<Record<string, string | string[] | undefined>>): HeaderList {
  return Object.entries(headers).flatMap(([name, value]) => [value ?? []].flat().map((each) => [name, each] as const));
}

function toGuestError(error: unknown, url: URL): unknown {
  if (error instanceof UserError) return error;
  if (error instanceof TypeError && error.message.startsWith("fetch failed")) return error;
  // A name with several addresses fails with all of their errors.
  const first = error instanceof AggregateError && error.message === "" ? error.errors[0] : error;
  return networkError(`${url.host}: ${messageOf(first)}`, error);
}
