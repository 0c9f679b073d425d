import { isUtf8 } from "node:buffer";
import { UserError } from "../errors.ts";
import { hostTexts } from "./net-permission.ts";
import { fillIn, type GrantedSecret } from "./placeholders.ts";
import { checkHeaderValue } from "./request-headers.ts";
import type { Outgoing } from "./send-request.ts";

/**
 * The request as it leaves: placeholders in headers and body replaced by values. Throws `permission_denied` where a secret
 * would go to a host that the manifest does not name for it.
 */
export function fillInRequest(
  request: Outgoing,
  secrets: readonly GrantedSecret[],
  hostsOf: Readonly<Record<string, readonly string[]>>,
): Outgoing {
  const used: string[] = [];
  const headers = request.headers.map(([name, value]) => {
    const filled = fillInHeader(value, secrets);
    used.push(...filled.used);
    checkHeaderValue(name, filled.text);
    return [name, filled.text] as const;
  });
  const type = request.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  const body = request.body === null ? null : fillInBody(request.body, type, secrets);
  used.push(...(body?.used ?? []));
  requireSecretHost(used, request.url, hostsOf);
  return { ...request, headers, body: body?.bytes ?? null };
}

/** Throws `permission_denied` where the manifest does not let one of these secrets go to the URL's host. */
export function requireSecretHost(
  used: readonly string[],
  url: URL,
  hostsOf: Readonly<Record<string, readonly string[]>>,
): void {
  for (const name of used) {
    const hosts = Object.hasOwn(hostsOf, name) ? (hostsOf[name] ?? []) : [];
    if (hostTexts(url).some((text) => hosts.includes(text))) continue;
    throw new UserError(
      "permission_denied",
      `The secret ${name} may not go to ${url.host}, so the request was not sent. permissions.secrets in defineJob names ${hosts.join(", ") || "no host"} for it; add "${url.host}" if that is meant.`,
    );
  }
}

/** A header's value with secrets filled in, also inside of Basic credentials, where base64 hides the placeholder. */
export function fillInHeader(value: string, secrets: readonly GrantedSecret[]): { text: string; used: string[] } {
  const [, scheme, encoded] = /^(Basic\s+)([A-Za-z0-9+/]+={0,2})$/i.exec(value) ?? [];
  if (scheme !== undefined && encoded !== undefined) {
    const pair = fillIn(Buffer.from(encoded, "base64").toString(), secrets, "raw");
    if (pair.used.length > 0) return { text: `${scheme}${Buffer.from(pair.text).toString("base64")}`, used: pair.used };
  }
  const filled = fillIn(value, secrets, "raw");
  // Headers go out as one byte per character; a value outside of ASCII travels as UTF-8.
  return filled.used.length === 0 ? filled : { ...filled, text: Buffer.from(filled.text).toString("latin1") };
}

function fillInBody(body: Buffer, type: string, secrets: readonly GrantedSecret[]): { bytes: Buffer; used: string[] } {
  const encoding = isUtf8(body) ? "utf8" : "latin1";
  const spelling = /^application\/x-www-form-urlencoded\b/i.test(type)
    ? "form"
    : /^[^;]*[/+]json\b/i.test(type) || looksLikeJson(body)
      ? "json"
      : "raw";
  const text = body.toString(encoding);
  const asBytes = secrets.map((secret) => ({ ...secret, value: Buffer.from(secret.value).toString(encoding) }));
  const filled = fillIn(text, asBytes, encoding === "utf8" ? spelling : "raw");
  return filled.used.length === 0
    ? { bytes: body, used: [] }
    : { bytes: Buffer.from(filled.text, encoding), used: filled.used };
}

/** `fetch` calls a string body text/plain, and most of those are JSON all the same. */
function looksLikeJson(body: Buffer): boolean {
  if (body[0] !== 0x7b && body[0] !== 0x5b) return false;
  try {
    JSON.parse(body.toString());
    return true;
  } catch {
    return false;
  }
}
