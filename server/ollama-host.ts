import { isIPv6 } from "node:net";

const defaultPort = "11434";

/**
 * The URL that a value of OLLAMA_HOST means, as Ollama's own client reads it (envconfig.Host): a host, host:port or URL;
 * without a scheme the port is 11434. Addresses that a server listens on stand for this machine. Undefined where it is none.
 */
export function readOllamaHost(text: string): string | undefined {
  const bare = text.trim().replace(/^["']|["']$/g, "");
  const [, scheme, rest = ""] = /^(?:([a-z]+):\/\/)?(.*)$/i.exec(bare) ?? [];
  const given = isIPv6(rest) ? `[${rest}]` : rest.startsWith(":") ? `127.0.0.1${rest}` : rest;
  if (given === "" || !URL.canParse(`${scheme ?? "http"}://${given}`)) return undefined;
  const url = new URL(`${scheme ?? "http"}://${given}`);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  // The parser drops :80 as http's own, but here no port at all means Ollama's.
  if (scheme === undefined && url.port === "" && !/^[^/]*:80(?:\/|$)/.test(given)) url.port = defaultPort;
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  if (url.hostname === "[::]") url.hostname = "[::1]";
  return url.href.replace(/\/$/, "");
}
