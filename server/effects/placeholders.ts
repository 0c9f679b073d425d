import { createHmac } from "node:crypto";
import { UserError } from "../errors.ts";
import { type SecretValues, valueProblem } from "./secret-values.ts";

/** A secret as the job sees it (`token` or `https://<token>.invalid`) and as it is. */
export type GrantedSecret = Readonly<{ name: string; token: string; placeholder: string; value: string; url: boolean }>;

/** The token that stands for a secret within one attempt: unguessable outside of it, the same in a replay. */
export function secretToken(seed: string, name: string): string {
  return `jrsecret_${name.toLowerCase()}_${createHmac("sha256", seed).update(name).digest("hex").slice(0, 16)}`;
}

/** The secrets of these names that have a usable value. */
export function grantedSecrets(seed: string, names: readonly string[], secrets: SecretValues): GrantedSecret[] {
  return names.flatMap((name) => {
    const value = secrets.get(name);
    if (value === undefined || valueProblem(value) !== undefined) return [];
    const token = secretToken(seed, name);
    const url = isHttpUrl(value);
    return { name, token, value, url, placeholder: url ? `https://${token}.invalid` : token };
  });
}

/** How a value is written where it goes. */
type Spelling = "raw" | "json" | "form" | "path";

/** The value as text of that kind, so that it cannot break out of a string, a pair or a path segment. */
export function spell(value: string, spelling: Spelling): string {
  switch (spelling) {
    case "raw":
      return value;
    case "json":
      return JSON.stringify(value).slice(1, -1);
    case "form":
      return encodeURIComponent(value);
    case "path":
      // These may stand in a path as they are, and some services compare the path undecoded.
      return encodeURIComponent(value).replace(/%(?:3A|40|24|26|2B|2C|3B|3D)/g, decodeURIComponent);
    default:
      return spelling satisfies never;
  }
}

/** Puts the values in the place of the placeholders and tells which secrets were used. */
export function fillIn(
  text: string,
  secrets: readonly GrantedSecret[],
  spelling: Spelling,
): { text: string; used: string[] } {
  let filled = text;
  const used: string[] = [];
  for (const secret of secrets) {
    if (!filled.includes(secret.token)) continue;
    used.push(secret.name);
    const value = spell(secret.value, spelling);
    if (secret.url) filled = fillInUrl(filled, secret, spelling);
    filled = filled.replaceAll(secret.token, () => value);
  }
  return { text: filled, used };
}

/**
 * The same for a URL, where a secret may be the whole of it, what the job added to path and query included.
 * Throws `invalid_argument` for a placeholder in another host: names are looked up and told in errors, so no secret goes there.
 */
export function fillInRequestUrl(href: string, secrets: readonly GrantedSecret[]): { href: string; used: string[] } {
  const url = new URL(href);
  const whole = secrets.find((secret) => secret.url && url.origin === secret.placeholder);
  const inHost = secrets.find(({ token }) => url.host.includes(token));
  if (whole === undefined && inHost !== undefined) {
    throw new UserError(
      "invalid_argument",
      `The secret ${inHost.name} cannot be part of a host name${inHost.url ? ": pass its placeholder to fetch as it is, and add to path and query alone" : ""}.`,
    );
  }
  const added = fillInParts(url, secrets);
  if (whole === undefined)
    return { href: `${url.protocol}//${url.host}${added.path}${added.query}`, used: [...new Set(added.used)] };
  const target = new URL(whole.value);
  target.hash = "";
  if (added.path !== "/") target.pathname = `${target.pathname.replace(/\/$/, "")}${added.path}`;
  if (added.query !== "")
    target.search = target.search === "" ? added.query : `${target.search}&${added.query.slice(1)}`;
  return { href: target.href, used: [...new Set([whole.name, ...added.used])] };
}

function fillInParts(url: URL, secrets: readonly GrantedSecret[]): { path: string; query: string; used: string[] } {
  const path = fillIn(url.pathname, secrets, "path");
  const query = fillIn(url.search, secrets, "form");
  return { path: path.text, query: query.text, used: [...path.used, ...query.used] };
}

/** A placeholder URL within text, with the "/" that URL parsing adds, plain or percent-encoded. */
function fillInUrl(text: string, { token, value }: GrantedSecret, spelling: Spelling): string {
  const base = value.replace(/\/$/, "");
  return text
    .replace(new RegExp(`https://${token}\\.invalid/(?=[^\\s"'<>\\\\&])`, "g"), () => spell(`${base}/`, spelling))
    .replace(new RegExp(`https://${token}\\.invalid/?`, "g"), () => spell(value, spelling))
    .replace(new RegExp(`https%3A%2F%2F${token}\\.invalid(?:%2F(?![^&]))?`, "gi"), () => spell(value, "form"));
}

function isHttpUrl(value: string): boolean {
  return /^https?:\/\//i.test(value) && URL.canParse(value);
}
