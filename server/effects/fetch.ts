import { z } from "zod";
import { UserError } from "../errors.ts";
import { defineEffect, type EffectContext } from "./define-effect.ts";
import { fillInHeader, fillInRequest, requireSecretHost } from "./fill-in-request.ts";
import { requireSecret } from "./granted-secret.ts";
import { createMask, type Mask } from "./mask-secrets.ts";
import { requireNetGrant } from "./net-permission.ts";
import { networkError } from "./network-error.ts";
import { fillInRequestUrl, type GrantedSecret, grantedSecrets, secretToken } from "./placeholders.ts";
import { followRedirect, redirectLocation } from "./redirect.ts";
import { checkHeaders, withDefaults } from "./request-headers.ts";
import { type Incoming, type Outgoing, sendRequest } from "./send-request.ts";

/** As the Fetch standard has it, but half as many. */
const maxRedirects = 10;
/** Methods that change nothing, or the same when they are repeated; RFC 9110, section 9.2.2. */
const repeatable = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"];

const args = z.strictObject({
  url: z.string().max(65_536),
  method: z.string().regex(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}$/),
  headers: z.array(z.tuple([z.string(), z.string()])).max(500),
  body: z.string().nullable(),
  redirect: z.enum(["follow", "manual", "error"]),
});
type Args = z.infer<typeof args>;
type Sent = Readonly<{ response: Incoming; url: URL; redirected: boolean }>;

/** `fetch` of the job, done here: to granted hosts alone, with secrets filled in on the way out and masked on the way in. */
export const fetchEffect = defineEffect({
  op: "fetch",
  kind: "outside",
  args,
  safe: ({ method }) => repeatable.includes(method),
  allow({ permissions }, { url }) {
    const to = URL.canParse(url) ? new URL(url) : undefined;
    // What a placeholder stands for is known only once it is filled in; `perform` looks at where it leads.
    if (to?.protocol.startsWith("http") && !to.hostname.includes("jrsecret_")) requireNetGrant(to, permissions.net);
  },
  async perform(context, request) {
    const { manifest, seed, secrets } = context;
    const granted = grantedSecrets(seed, Object.keys(manifest.permissions.secrets), secrets);
    const mask = createMask(granted);
    try {
      const { response, url, redirected } = await send(context, request, granted, mask);
      url.hash = "";
      return {
        status: response.status,
        statusText: mask.text(response.statusText),
        url: mask.text(url.href),
        redirected,
        headers: response.headers.map(([name, value]) => [name, mask.text(value)]),
        body: mask.bytes(response.body).toString("base64"),
      };
    } catch (error) {
      throw masked(error, mask);
    }
  },
});

async function send(
  context: EffectContext,
  request: Args,
  granted: readonly GrantedSecret[],
  mask: Mask,
): Promise<Sent> {
  const { manifest, signal } = context;
  const { permissions } = manifest;
  requireValues(context, request, granted);
  let next = firstRequest(context, request, granted);
  for (let hops = 0; ; hops++) {
    requireWebUrl(next.url);
    const grant = requireNetGrant(next.url, permissions.net);
    const outgoing = fillInRequest(next, granted, permissions.secrets);
    const response = await sendRequest(outgoing, { grant, maxBytes: manifest.limits.responseBytes, signal });
    const location = redirectLocation(response);
    if (location === undefined || request.redirect === "manual")
      return { response, url: next.url, redirected: hops > 0 };
    if (request.redirect === "error") throw networkError(`${next.url.host} redirects, and redirect is "error"`);
    if (hops === maxRedirects) throw networkError(`more than ${maxRedirects} redirects`);
    if (!URL.canParse(location, next.url.href)) throw networkError(`${next.url.host} redirects to what is no URL`);
    const to = new URL(location, next.url);
    // An open redirect must not carry a secret to a host that it is not for.
    requireSecretHost(mask.reveals(to.href), to, permissions.secrets);
    const bearsSecret = (value: string) => fillInHeader(value, granted).used.length > 0;
    next = followRedirect(next, { status: response.status, to, bearsSecret });
  }
}

/** The request with its URL filled in; headers and body are filled in for each hop anew. */
function firstRequest(context: EffectContext, request: Args, granted: readonly GrantedSecret[]): Outgoing {
  const { manifest, runId, attempt, seq } = context;
  const { method } = request;
  if (!URL.canParse(request.url))
    throw new UserError("invalid_argument", `fetch needs an absolute URL, not "${request.url.slice(0, 100)}".`);
  if (/^(connect|trace|track)$/i.test(method))
    throw new UserError("invalid_argument", `The method ${method} is not available.`);
  if (request.body !== null && (method === "GET" || method === "HEAD")) {
    throw new UserError("invalid_argument", `A ${method} request cannot have a body.`);
  }
  const body = request.body === null ? null : Buffer.from(request.body, "base64");
  const { requestBytes } = manifest.limits;
  if (body !== null && body.length > requestBytes) {
    throw new UserError(
      "limit_exceeded",
      `The body has ${body.length} bytes, more than ${requestBytes}; limits.requestBytes in defineJob raises that.`,
    );
  }
  checkHeaders(request.headers);
  requireWebUrl(new URL(request.url));
  const filled = fillInRequestUrl(request.url, granted);
  if (!URL.canParse(filled.href))
    throw new UserError("invalid_argument", `With the secret ${filled.used.join(", ")} filled in this is no URL.`);
  const url = new URL(filled.href);
  requireWebUrl(url);
  requireSecretHost(filled.used, url, manifest.permissions.secrets);
  const idempotencyKey = repeatable.includes(method) ? null : `${runId}-${attempt}-${seq}`;
  return { url, method, headers: withDefaults(request.headers, idempotencyKey), body };
}

function requireWebUrl(url: URL): void {
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new UserError("invalid_argument", `fetch speaks http and https, not ${url.protocol.replace(":", "")}.`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new UserError(
      "invalid_argument",
      "A URL with a user name or password is not fetched: send an authorization header.",
    );
  }
}

/** A placeholder whose value was removed since would go out as it is; this says what is missing instead. */
function requireValues(context: EffectContext, request: Args, granted: readonly GrantedSecret[]): void {
  const text = [
    request.url,
    ...request.headers.flat(),
    Buffer.from(request.body ?? "", "base64").toString("latin1"),
  ].join("\n");
  for (const name of Object.keys(context.manifest.permissions.secrets)) {
    if (granted.some((secret) => secret.name === name)) continue;
    if (text.includes(secretToken(context.seed, name))) requireSecret(context, name);
  }
}

function masked(error: unknown, mask: Mask): unknown {
  if (!(error instanceof Error)) return error;
  const message = mask.text(error.message);
  if (message === error.message) return error;
  return error instanceof UserError ? new UserError(error.code, message) : new TypeError(message);
}
