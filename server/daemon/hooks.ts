import { isUtf8 } from "node:buffer";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Manifest } from "../jobs/manifest.ts";
import { isLocalOrigin } from "../mcp/http-guard.ts";
import type { ControlDeps } from "../runs/control.ts";
import { formatRunId } from "../runs/run-id.ts";
import type { RunEvent } from "../runs/triggers/run-event.ts";
import { findHookedJob, startFromWebhook } from "../runs/triggers/start-from-webhook.ts";

/** Longest body, in bytes. */
const longestBody = 256 * 1024;
const mostHeaders = 40;
const longestHeader = 2_048;
/** Headers besides `x-…` and `webhook-…` that a job gets. */
const plainHeaders = new Set(["user-agent", "idempotency-key", "stripe-signature", "ce-id", "ce-type", "ce-source"]);
/** What names a password, or tells of proxies in between. */
const hiddenHeaders = /token|api-?key|secret|auth|cookie|password|session|^x-forwarded|^x-real-ip|^x-original/;
/** Who delivers again after an answer that was lost says so by one of these. */
const deliveryHeaders = ["idempotency-key", "x-github-delivery", "webhook-id"] as const;

/**
 * The strangers' door: POST /hooks/JOB/TOKEN starts a job that waits for it. The token alone lets in, so whoever proxies it may give
 * it any Host; pages in a browser are kept out. Everything that starts nothing gets the same answer.
 */
export function hooksApp(deps: ControlDeps, hosts: readonly string[]): Pick<Hono, "fetch" | "request"> {
  const app = new Hono<{ Variables: { manifest: Manifest } }>();
  app.post(
    "/hooks/:job/:token",
    async (c, next) => {
      const origin = c.req.header("origin");
      if (origin !== undefined && !isLocalOrigin(origin, hosts)) return nothingHere();
      const manifest = await findHookedJob(deps, c.req.param());
      if (manifest === undefined) return nothingHere();
      c.set("manifest", manifest);
      // Read only now: a stranger cannot make us hold what he sends.
      const limited = bodyLimit({
        maxSize: longestBody,
        onError: () => Response.json({ message: `At most ${longestBody / 1024} KB.` }, { status: 413 }),
      });
      return limited(c, next);
    },
    async (c) => {
      const { job } = c.req.param();
      const manifest = c.get("manifest");
      const event = await eventOf(c.req.raw);
      const delivery = deliveryHeaders.map((name) => c.req.header(name)).find((id) => id !== undefined && id !== "");
      const result = await startFromWebhook(deps, { job, manifest, event, delivery });
      switch (result.outcome) {
        case "started":
          return Response.json({ run: formatRunId(result.run.id), created: result.created }, { status: 202 });
        case "paused":
          return Response.json({ message: "The job is paused." }, { status: 503, headers: { "retry-after": "300" } });
        case "too_many":
          return Response.json(
            { message: "Too many runs within an hour." },
            { status: 429, headers: { "retry-after": "300" } },
          );
        case "gone":
          return nothingHere();
        default:
          return result satisfies never;
      }
    },
  );
  app.notFound(() => nothingHere());
  return app;
}

function nothingHere(): Response {
  return Response.json({ message: "There is nothing here." }, { status: 404 });
}

async function eventOf(request: Request): Promise<RunEvent> {
  const bytes = Buffer.from(await request.arrayBuffer());
  const encoding = isUtf8(bytes) ? "utf8" : "base64";
  const headers = [...request.headers]
    .filter(([name, value]) => isShown(name) && value.length <= longestHeader)
    .slice(0, mostHeaders);
  return {
    kind: "webhook",
    headers: Object.fromEntries(headers),
    contentType: request.headers.get("content-type")?.slice(0, longestHeader) ?? null,
    body: bytes.toString(encoding),
    encoding,
  };
}

function isShown(name: string): boolean {
  if (hiddenHeaders.test(name)) return false;
  return plainHeaders.has(name) || name.startsWith("x-") || name.startsWith("webhook-");
}
