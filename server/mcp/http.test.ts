import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { expect, it } from "vitest";
import type { SharedContext } from "../../tools/tool-context.ts";
import { silentLog } from "../log.ts";
import { mcpRoutes } from "./http.ts";

const token = "a-token-of-the-test";
const url = "http://127.0.0.1:7717/mcp";

function startRoutes(options: { maxSessions?: number; idleMs?: number } = {}) {
  let now = new Date("2026-01-01T00:00:00Z");
  const routes = mcpRoutes({
    context: () => new Promise<SharedContext>(() => undefined),
    token,
    log: silentLog,
    clock: () => now,
    ...options,
  });
  return {
    routes,
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms);
    },
    async connect() {
      const client = new Client({ name: "http-host", version: "1" });
      const transport = new StreamableHTTPClientTransport(new URL(url), {
        requestInit: { headers: { authorization: `Bearer ${token}`, host: "127.0.0.1:7717" } },
        // The app itself answers, so that no port is needed. The stream for notifications is not offered.
        fetch: async (input, init) =>
          init?.method === "GET" ? new Response(null, { status: 405 }) : routes.app.fetch(new Request(input, init)),
      });
      await client.connect(transport);
      return client;
    },
  };
}

const post = (headers: Record<string, string>) =>
  new Request(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ping" }),
  });

const authorization = `Bearer ${token}`;

it.each([
  ["no token", { host: "127.0.0.1:7717" }, 401],
  ["a wrong token", { host: "127.0.0.1:7717", authorization: "Bearer wrong" }, 401],
  ["a foreign Host", { host: "evil.example.org", authorization }, 403],
  ["a foreign Origin", { host: "127.0.0.1:7717", origin: "https://evil.example.org", authorization }, 403],
  ["an opaque Origin", { host: "127.0.0.1:7717", origin: "null", authorization }, 403],
  ["a session that is not there", { host: "localhost:7717", "mcp-session-id": "gone", authorization }, 404],
  ["no session", { host: "127.0.0.1:7717", authorization }, 400],
])("%s is refused", async (_, headers, status) => {
  const { routes } = startRoutes();
  await using _routes = routes;
  const response = await routes.app.fetch(post(headers));
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ jsonrpc: "2.0", error: { message: expect.any(String) } });
});

it("serves a real client", async () => {
  const { routes, connect } = startRoutes();
  await using _routes = routes;
  const client = await connect();
  expect((await client.listTools()).tools.length).toBeGreaterThan(5);
  await client.close();
});

it("bounds sessions in number: the one used longest ago makes room", async () => {
  const { routes, connect, pass } = startRoutes({ maxSessions: 2 });
  await using _routes = routes;
  const first = await connect();
  pass(1_000);
  const second = await connect();
  pass(1_000);
  await first.ping();
  pass(1_000);
  const third = await connect();
  await expect(second.ping()).rejects.toThrow(/ended/);
  expect(await first.ping()).toEqual({});
  expect(await third.ping()).toEqual({});
});

it("bounds sessions in idle time", async () => {
  const { routes, connect, pass } = startRoutes({ idleMs: 60_000 });
  await using _routes = routes;
  const client = await connect();
  pass(59_000);
  expect(await client.ping()).toEqual({});
  pass(61_000);
  await expect(client.ping()).rejects.toThrow(/ended/);
});

it("a message over the limit is refused", async () => {
  const { routes } = startRoutes();
  await using _routes = routes;
  const response = await routes.app.fetch(
    new Request(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        host: "127.0.0.1",
        authorization,
      },
      body: `"${"x".repeat(8 * 1024 * 1024)}"`,
    }),
  );
  expect(response.status).toBe(413);
});
