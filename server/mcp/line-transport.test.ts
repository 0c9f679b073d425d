import { createConnection, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { expect, it, onTestFinished } from "vitest";
import { silentLog } from "../log.ts";
import { lineTransport, maxMessageBytes } from "./line-transport.ts";

/** A server behind a real socket whose only request waits for `answer`, and the client's raw end. */
async function connect() {
  let resolveAnswer: () => void = () => undefined;
  const answer = new Promise<void>((resolve) => {
    resolveAnswer = resolve;
  });
  let sawRequest: (signal: AbortSignal) => void = () => undefined;
  const request = new Promise<AbortSignal>((resolve) => {
    sawRequest = resolve;
  });
  const listener = createServer({ allowHalfOpen: true }, (stream) => {
    const server = new Server({ name: "test", version: "1" }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, async (_, { signal }) => {
      sawRequest(signal);
      await answer;
      return { tools: [] };
    });
    server.connect(lineTransport(stream, silentLog));
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  const socket = createConnection({
    port: typeof address === "object" ? (address?.port ?? 0) : 0,
    allowHalfOpen: true,
  });
  onTestFinished(() => {
    socket.destroy();
    listener.close();
  });
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    return done === true ? "closed" : JSON.parse(value);
  };
  return { socket, next, request, answerNow: resolveAnswer };
}

function send(socket: Socket, message: unknown) {
  socket.write(`${JSON.stringify(message)}\n`);
}

const ping = { jsonrpc: "2.0", id: 7, method: "ping" };

it.each([
  ["no JSON", "{oops\n", -32700, /not valid JSON/],
  ["no JSON-RPC", '{"hello": 1}\n', -32600, /Not a JSON-RPC/],
  ["a message over the limit", `"${"x".repeat(maxMessageBytes)}"\n`, -32600, /larger than 8 MiB/],
])("%s is answered with an error, and the connection lives on", async (_, bytes, code, message) => {
  const { socket, next } = await connect();
  socket.write(bytes);
  expect(await next()).toMatchObject({ id: null, error: { code, message: expect.stringMatching(message) } });
  send(socket, ping);
  expect(await next()).toMatchObject({ id: 7, result: {} });
});

it("a client that closed its side still gets the answer that is under way", async () => {
  const { socket, next, request, answerNow } = await connect();
  send(socket, { jsonrpc: "2.0", id: 1, method: "tools/list" });
  await request;
  socket.end();
  answerNow();
  expect(await next()).toMatchObject({ id: 1, result: { tools: [] } });
  expect(await next()).toBe("closed");
});

it("a client that vanishes in mid-call aborts the call", async () => {
  const { socket, request } = await connect();
  send(socket, { jsonrpc: "2.0", id: 1, method: "tools/list" });
  const signal = await request;
  const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  socket.destroy();
  await aborted;
});

it("a cancelled request aborts and is not answered", async () => {
  const { socket, next, request, answerNow } = await connect();
  send(socket, { jsonrpc: "2.0", id: 1, method: "tools/list" });
  const signal = await request;
  send(socket, {
    jsonrpc: "2.0",
    method: "notifications/cancelled",
    params: { requestId: 1, reason: "changed my mind" },
  });
  send(socket, ping);
  expect(await next()).toMatchObject({ id: 7 });
  expect(signal.aborted).toBe(true);
  answerNow();
});
