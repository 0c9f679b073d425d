import type { GrantedSecret } from "./placeholders.ts";

/** A shorter part of a URL would be found in, and masked out of, innocent text. */
const shortestPart = 8;
/** A path that is this long is told apart from ordinary ones, also where each of its segments is short. */
const shortestPath = 20;
/** A segment such as `services` or `webhooks`, which half of all answers hold too. */
const ordinaryWord = /^[a-z]{1,15}$/;

/**
 * The texts that give a secret away: its value and, where that is a URL, what of it opens doors on its own, as it stands and
 * decoded. The host is not among them, since a person reads it in the review.
 */
export function secretParts({ value, url, token }: GrantedSecret): string[] {
  if (!url) return [value];
  const { href, username, password, pathname, search, hash } = new URL(value);
  const segments = pathname.split("/").filter((segment) => !ordinaryWord.test(segment));
  // A query without "=" is a key as a whole.
  const queryValues = search
    .slice(1)
    .split("&")
    .map((pair) => pair.slice(pair.indexOf("=") + 1));
  const parts = [username, password, `${username}:${password}`, ...segments, ...queryValues, hash.slice(1)];
  const paths = [`${pathname}${search}`, pathname].filter((path) => path.length >= shortestPath);
  // What the token shows, such as the name of the secret, would be masked within the token itself.
  const alone = parts
    .flatMap((part) => [part, decoded(part)])
    .filter((part) => part.length >= shortestPart && !token.includes(part));
  return [...new Set([value, href, ...paths, ...alone])];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
