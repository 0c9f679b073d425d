import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import { bearerMatches, guardRequest } from "../mcp/http-guard.ts";
import { version } from "../version.ts";
import { errorAnswer } from "./http-errors.ts";
import type { Metrics } from "./metrics/create-metrics.ts";

export type HttpDeps = Readonly<{
  /** The bearer token of the person's door. */
  token: string;
  /** The bearer token that reads /metrics, and nothing else. */
  metricsToken: string;
  /** Names by which this machine may be called besides loopback's. */
  hosts: readonly string[];
  /** MCP over HTTP, which guards itself; undefined where it is switched off. */
  mcp: Hono | undefined;
  /** The person's door; undefined until the store is open. */
  api: () => Hono | undefined;
  /** Undefined until the store is open. */
  metrics: () => Pick<Metrics, "prometheus"> | undefined;
  /** Secret addresses that start jobs; undefined until the store is open. */
  hooks: () => Pick<Hono, "fetch"> | undefined;
  /** Why the store is not open yet. */
  problem: () => string | null;
  log: Log;
}>;

const longestBody = 32 * 1024 * 1024;

/** Everything that the daemon serves over HTTP. `/healthz` tells a stranger whether it is ready, and nothing else. */
export function createHttpApp(deps: HttpDeps): Hono {
  const { token, metricsToken, hosts, mcp, api, metrics, hooks, problem, log } = deps;
  const app = new Hono();
  app.onError((error) => errorAnswer(error, log));
  app.notFound((c) =>
    c.json({ code: "invalid_argument", message: `There is no ${c.req.path} here.`, next: null }, 404),
  );
  app.get("/healthz", (c) => {
    const ready = api() !== undefined;
    return c.json({ status: ready ? "ok" : "starting", version }, ready ? 200 : 503);
  });
  app.get("/metrics", async (c) => {
    // Any Host: Prometheus comes by whatever name it knows, and a web page that rebinds its own has no token.
    if (!bearerMatches(c.req.header("authorization"), metricsToken)) {
      return c.text(
        "The bearer token is missing or wrong. It stands in keys/metrics.token in the home folder.\n",
        401,
        {
          "www-authenticate": 'Bearer realm="jobrunner"',
        },
      );
    }
    const open = metrics();
    if (open === undefined) return c.text("JobRunner is starting: its store is not open yet.\n", 503);
    const { text, contentType } = await open.prometheus();
    return c.body(text, 200, { "content-type": contentType });
  });
  if (mcp !== undefined) app.route("/", mcp);
  app.all("/hooks/*", (c) => {
    const inner = hooks();
    if (inner !== undefined) return inner.fetch(c.req.raw, c.env);
    return c.json({ message: "Not ready yet." }, 503, { "retry-after": "10" });
  });
  app.use("/api/*", async (c, next) => {
    const refused = guardRequest(c.req.raw, { token, hosts });
    if (refused === undefined) return next();
    const message =
      refused.status === 401
        ? "The bearer token is missing or wrong. It stands in keys/person.token in the home folder."
        : "This Host or Origin is not served here.";
    return c.json({ code: "unauthorized", message, next: null }, refused.status === 401 ? 401 : 403);
  });
  app.use("/api/*", bodyLimit({ maxSize: longestBody, onError: () => tooLarge() }));
  app.all("/api/*", (c) => {
    const inner = api();
    if (inner !== undefined) return inner.fetch(c.req.raw, c.env);
    const why = problem();
    throw new UserError("store_unavailable", why ?? "JobRunner is starting: its store is not open yet.", {
      next: "try again in a moment",
    });
  });
  return app;
}

function tooLarge(): never {
  throw new UserError("source_too_large", `A request holds at most ${longestBody / 1024 / 1024} MB.`);
}
