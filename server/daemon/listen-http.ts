import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import type { Config } from "../config.ts";
import { messageOf, UserError } from "../errors.ts";
import type { Log } from "../log.ts";

/** How long answers under way may take at the end. */
const graceMs = 1_000;

/** Disposing it lets answers under way end. */
export type HttpListener = AsyncDisposable & Readonly<{ url: string }>;

/** The HTTP server with its address. Where the configured port is taken it listens on a free one. */
export async function listenHttp(options: { app: Hono; http: Config["http"]; log: Log }): Promise<HttpListener> {
  const { app, http, log } = options;
  const server = createAdaptorServer({ fetch: app.fetch });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, http.host, () => {
        server.off("error", reject);
        resolve();
      });
    });
  try {
    await listen(http.port);
  } catch (error) {
    if (!isTaken(error)) {
      throw new UserError("invalid_config", `Cannot listen on ${http.host}:${http.port}: ${messageOf(error)}.`, {
        next: "set http.host and http.port in config.yaml to an address of this machine",
        cause: error,
      });
    }
    log.warn({ port: http.port }, "the port is taken, listening on a free one");
    await listen(0);
  }
  server.on("error", (error: Error) => log.error({ err: error }, "http: the server is in trouble"));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : http.port;
  return {
    url: `http://${callable(http.host)}:${port}/`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if ("closeIdleConnections" in server) server.closeIdleConnections();
      const force = setTimeout(() => {
        if ("closeAllConnections" in server) server.closeAllConnections();
      }, graceMs);
      await closed;
      clearTimeout(force);
    },
  };
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}

/** An address to call where the server listens on all of them. */
function callable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
