import { createHash, timingSafeEqual } from "node:crypto";

const loopback = ["127.0.0.1", "localhost", "[::1]"];

/**
 * The answer to a request that must not pass, or undefined. The Host and Origin checks keep out web pages that reach loopback
 * through the person's own browser (DNS rebinding); the token keeps out other users of the machine.
 */
export function guardRequest(
  request: Request,
  { token, hosts }: { token: string; hosts: readonly string[] },
): Response | undefined {
  const allowed = [...loopback, ...hosts];
  const host = hostname(`http://${request.headers.get("host") ?? new URL(request.url).host}`);
  if (host === undefined || !allowed.includes(host)) return refusal(403, "This Host is not served here.");
  const origin = request.headers.get("origin");
  if (origin !== null && !isLocalOrigin(origin, hosts)) return refusal(403, "This Origin is not allowed.");
  if (!bearerMatches(request.headers.get("authorization"), token)) {
    return refusal(
      401,
      "The bearer token is missing or wrong. It stands in keys/mcp.token in JobRunner's home folder.",
      {
        "www-authenticate": 'Bearer realm="jobrunner"',
      },
    );
  }
  return undefined;
}

/** Whether a page of this machine's own asks, by its Origin. */
export function isLocalOrigin(origin: string, hosts: readonly string[]): boolean {
  return [...loopback, ...hosts].includes(hostname(origin) ?? "");
}

/** A JSON-RPC error without a request, as the Streamable HTTP transport answers too. */
export function refusal(status: number, message: string, headers: Record<string, string> = {}): Response {
  return Response.json({ jsonrpc: "2.0", error: { code: -32000, message }, id: null }, { status, headers });
}

function hostname(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** Whether an Authorization header bears the token. Digests have one length, so that it takes the same time whatever was sent. */
export function bearerMatches(header: string | null | undefined, token: string): boolean {
  const given = /^Bearer\s+(\S+)$/i.exec(header ?? "")?.[1];
  if (given === undefined || token === "") return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}
