import { isIP } from "node:net";
import { z } from "zod";
import { addressProblem } from "../../address-problem.ts";
import { anyHost } from "../../definitions/role-manifest.ts";
import { fetchEffect } from "../../effects/fetch.ts";
import { UserError } from "../../errors.ts";
import { defineWorkspaceTool, type WorkspaceContext } from "./define-workspace-tool.ts";
import { htmlToText } from "./html-to-text.ts";
import { performEffect } from "./perform-effect.ts";

const response = z.object({
  status: z.number(),
  url: z.string(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.string(),
});
const mostRedirects = 5;

export const webFetch = defineWorkspaceTool({
  name: "web_fetch",
  description: "Gets a page or file over http(s), as text.",
  input: z.strictObject({
    url: z.string().min(1).max(8_000),
    from: z.int().min(0).describe("character to begin with").default(0),
  }),
  async perform(context, { url, from }) {
    const found = await get(context, url);
    const type = found.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
    const bytes = Buffer.from(found.body, "base64");
    const raw = bytes.toString("utf8");
    if (raw.includes("\0")) return `${found.status} ${found.url} ${type}: ${bytes.length} bytes that are no text.`;
    const text = /\bhtml\b/i.test(type) ? htmlToText(raw) : raw;
    const shown = text.slice(from, from + context.maxChars);
    const more = text.length - from - shown.length;
    return `${found.status} ${found.url}\n\n${shown}${more > 0 ? `\n[${more} more characters; from ${from + shown.length} goes on]` : ""}`;
  },
});

async function get(context: WorkspaceContext, url: string): Promise<z.infer<typeof response>> {
  const request = { method: "GET", headers: [], body: null };
  if (!context.role.permissions.net.some(({ host }) => host === anyHost)) {
    return performEffect(context, fetchEffect, { ...request, url, redirect: "follow" }, response);
  }
  let next = url;
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const found = await performEffect(
      withHost(context, next),
      fetchEffect,
      { ...request, url: next, redirect: "manual" },
      response,
    );
    const location = found.headers.find(([name]) => name.toLowerCase() === "location")?.[1];
    if (found.status < 300 || found.status > 399 || location === undefined) return found;
    next = new URL(location, next).href;
  }
  throw new UserError("limit_exceeded", `${url} redirects more than ${mostRedirects} times.`);
}

/** Any host stands for public addresses alone; where a name leads is checked when it is connected to. */
function withHost(context: WorkspaceContext, url: string): WorkspaceContext {
  const { manifest } = context.effects;
  if (!URL.canParse(url)) return context;
  const { hostname, port } = new URL(url);
  const address = hostname.replace(/^\[|\]$/g, "");
  const problem = isIP(address) === 0 ? undefined : addressProblem(address);
  const named = manifest.permissions.net.some(({ host }) => host === hostname);
  if (named) return context;
  if (hostname === "localhost" || problem !== undefined) {
    throw new UserError("permission_denied", `${hostname} is no public address, and your role does not name it.`);
  }
  const grant = { host: hostname, port: port === "" ? null : Number(port), private: false };
  const permissions = { ...manifest.permissions, net: [...manifest.permissions.net, grant] };
  return { ...context, effects: { ...context.effects, manifest: { ...manifest, permissions } } };
}
