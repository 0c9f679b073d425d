import { isIP } from "node:net";
import { addressProblem } from "../address-problem.ts";

export type NamedHost = Readonly<{ host: string; port: number | null; private: boolean }>;

/** A host as authors write it, lower-cased, in ASCII and apart from its port; or what is wrong with it. */
export function parseHost(
  written: string,
): Readonly<{ ok: true; host: NamedHost } | { ok: false; message: string; hint: string }> {
  const refuse = (message: string, hint = "name one exact host, such as api.example.org or api.example.org:8443") =>
    ({ ok: false, message: `${JSON.stringify(written.slice(0, 100))} ${message}`, hint }) as const;
  const text = written.trim();
  if (text === "") return refuse("is no host");
  if (text.includes("*")) return refuse("has a wildcard, and a host must be exact");
  if (text.includes("://"))
    return refuse("is a URL, not a host", `write ${JSON.stringify(hostOfUrl(text) ?? "api.example.org")}`);
  if (/[\s/\\?#@%]/.test(text)) return refuse("is no host: it has a path, user or other characters");
  const [, name = "", portText] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (name === "") return refuse("is no host");
  if (name.endsWith(".")) return refuse("ends in a dot", `write ${JSON.stringify(text.replace(/\.(?=$|:)/, ""))}`);
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && (port < 1 || port > 65_535)) return refuse("has a port that does not exist");
  if (!URL.canParse(`http://${name}`)) return refuse("is no host");
  const { hostname } = new URL(`http://${name}`);
  return { ok: true, host: { host: hostname, port, private: isPrivateName(hostname) } };
}

/** `host` or `host:port`, as the grants of secrets are written. */
export function hostText({ host, port }: Pick<NamedHost, "host" | "port">): string {
  return port === null ? host : `${host}:${port}`;
}

/** Whether a host means this machine or a private network by its very name. */
function isPrivateName(host: string): boolean {
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  const bare = host.replace(/^\[|\]$/g, "");
  return isIP(bare) !== 0 && addressProblem(bare) !== undefined;
}

function hostOfUrl(text: string): string | undefined {
  return URL.canParse(text) ? new URL(text).host : undefined;
}
