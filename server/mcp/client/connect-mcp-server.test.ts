import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { expect, test, vi } from "vitest";
import { createTestMcpServer } from "../../../tests/support/mcp-child.ts";
import type { McpServerManifest } from "../../definitions/mcp-server-manifest.ts";
import { packageRoot } from "../../home.ts";
import { silentLog } from "../../log.ts";
import { type ConnectOptions, connectMcpServer } from "./connect-mcp-server.ts";
import { serverFetch } from "./server-fetch.ts";

const child = join(packageRoot, "tests", "support", "mcp-child.ts");
const token = "s3cret-token-value";
const secrets = { get: (name: string) => (name === "TOKEN" ? token : undefined), names: () => ["TOKEN"] };
const signal = new AbortController().signal;

function stdio(mode: string, env: Record<string, string> = {}): McpServerManifest {
  return { transport: "stdio", command: process.execPath, args: [child, mode], env };
}

const connect = (manifest: McpServerManifest, change: Partial<ConnectOptions> = {}) =>
  connectMcpServer(manifest, { name: "test", secrets, signal, log: silentLog, ...change });

test("a server's tools are listed with their schemas, called, and seen when there are more", async () => {
  await using server = await connect(stdio("good"));
  const tools = await server.tools();
  expect(tools.find(({ name }) => name === "add")).toMatchObject({
    description: "Adds two numbers",
    inputSchema: { properties: { a: { type: "number" } }, required: ["a", "b"] },
  });
  expect(await server.call("add", { a: 2, b: 3 }, { signal })).toEqual({ text: "5", isError: false });
  expect(await server.call("refuse", {}, { signal })).toEqual({ text: "not today", isError: true });
  expect(await server.call("picture", {}, { signal })).toEqual({ text: "[image image/png left out]", isError: false });
  expect((await server.call("nothing", {}, { signal })).isError).toBe(true);
  await server.call("grow", {}, { signal });
  expect((await server.tools()).map(({ name }) => name)).toContain("late");
});

test("a server gets its declared environment alone, and a secret that it tells is masked", async () => {
  await using server = await connect(stdio("good", { TOKEN: `Bearer ${"${secret:TOKEN}"}`, ZONE: "UTC" }));
  const { text } = await server.call("environment", {}, { signal });
  const env: Record<string, string> = JSON.parse(text);
  expect(Object.keys(env).sort()).toEqual(["HOME", "LANG", "PATH", "TOKEN", "ZONE"]);
  expect(env.TOKEN).toMatch(/^Bearer jrsecret_token_/);
  expect(text).not.toContain(token);
});

test("a long answer is cut to its beginning and end", async () => {
  await using server = await connect(stdio("good"), { maxChars: 1_000 });
  const { text } = await server.call("flood", {}, { signal });
  expect(text.length).toBeLessThan(1_100);
  expect(text).toContain("999000 characters left out");
});

test("a call that is cancelled ends at once, and the server goes on", async () => {
  await using server = await connect(stdio("good"));
  const stop = new AbortController();
  const hanging = server.call("hang", {}, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(hanging).rejects.toThrow("enough");
  expect(await server.call("add", { a: 1, b: 1 }, { signal })).toMatchObject({ text: "2" });
});

test("a call without an answer ends when its time is up", async () => {
  await using server = await connect(stdio("good"), { callMs: 50 });
  await expect(server.call("hang", {}, { signal })).rejects.toMatchObject({
    code: "mcp_server_failed",
    message: expect.stringContaining("calling hang"),
  });
});

test("a server that dies is named with how it ended and its last words", async () => {
  await using server = await connect(stdio("good"));
  await expect(server.call("die", {}, { signal })).rejects.toMatchObject({
    code: "mcp_server_failed",
    message: expect.stringMatching(/"test".*exit code 3; it said: out of luck/s),
  });
  expect(await server.ended).toContain("exit code 3");
});

test.each<[string, McpServerManifest, RegExp]>([
  ["ends at once", stdio("dead", { TOKEN: "${secret:TOKEN}" }), /exit code 1; it said: no token: jrsecret_token_/],
  ["never answers", stdio("silent"), /did not answer in time/],
  ["sends a line without an end", stdio("endless"), /more than 8 MiB/],
  ["is not there", { transport: "stdio", command: "/nowhere/server", args: [], env: {} }, /could not be started/],
  [
    "is not at that address",
    { transport: "http", url: "http://127.0.0.1:2/mcp", headers: {} },
    /\(connecting\): connect ECONNREFUSED/,
  ],
])("a server that %s is no connection, and says why", async (what, manifest, message) => {
  const connectMs = what === "never answers" ? 1_000 : 60_000;
  await expect(connect(manifest, { connectMs })).rejects.toMatchObject({
    code: "mcp_server_failed",
    message: expect.stringMatching(message),
    next: "jr mcp-server check test",
  });
});

test("a secret without a value is named before anything starts", async () => {
  await expect(connect(stdio("good", { KEY: "${secret:OTHER}" }))).rejects.toMatchObject({
    code: "secret_not_found",
    next: "jr secrets set OTHER",
  });
});

test("a server that does not want to end is killed", async () => {
  const server = await connect(stdio("stubborn"));
  await server[Symbol.asyncDispose]();
  expect(await server.ended).toContain("killed");
});

test("a server is reached over Streamable HTTP, with its secret in the header alone", async () => {
  const seen: (string | undefined)[] = [];
  await using http = await httpServer(async (request, response) => {
    seen.push(request.headers.authorization);
    const transport = new StreamableHTTPServerTransport({});
    await createTestMcpServer().connect(transport);
    await transport.handleRequest(request, response);
  });
  await using server = await connect({
    transport: "http",
    url: http.url,
    headers: { authorization: "Bearer ${secret:TOKEN}" },
  });
  expect(await server.call("add", { a: 4, b: 4 }, { signal })).toEqual({ text: "8", isError: false });
  expect(new Set(seen)).toEqual(new Set([`Bearer ${token}`]));
});

test.each([
  [401, /HTTP 401, so look at its headers/],
  [500, /HTTP 500 \(.*: no/],
])("one that answers with HTTP %d says so", async (status, message) => {
  await using http = await httpServer((_, response) => void response.writeHead(status).end("no"));
  await expect(connect({ transport: "http", url: http.url, headers: {} })).rejects.toMatchObject({
    code: "mcp_server_failed",
    message: expect.stringMatching(message),
  });
});

test("one that cannot be reached for a moment is tried again, one that breaks off is not", async () => {
  const refused = new TypeError("fetch failed", { cause: Object.assign(new Error("no"), { code: "ECONNREFUSED" }) });
  const fetched = vi
    .spyOn(globalThis, "fetch")
    .mockRejectedValueOnce(refused)
    .mockResolvedValueOnce(new Response("ok"));
  expect(await (await serverFetch("http://example.org", {}, [1])).text()).toBe("ok");
  fetched.mockRejectedValueOnce(new TypeError("fetch failed", { cause: new Error("other side closed") }));
  await expect(serverFetch("http://example.org", {}, [1])).rejects.toThrow("other side closed");
  expect(fetched).toHaveBeenCalledTimes(3);
  fetched.mockRestore();
});

async function httpServer(handler: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/mcp`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
