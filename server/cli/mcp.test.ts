import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { homePaths } from "../home.ts";
import { type BridgeContext, runBridge } from "./mcp.ts";

let folder: string;
let daemon: Server | undefined;
const sockets: Socket[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "jr-bridge-"));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await new Promise((resolve) => (daemon === undefined ? resolve(undefined) : daemon.close(resolve)));
  daemon = undefined;
  rmSync(folder, { recursive: true });
});

/** A stand-in for the daemon's side of the socket. */
async function listen(onConnection: (socket: Socket, index: number) => void) {
  const home = homePaths({ JOBRUNNER_HOME: folder });
  daemon = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    onConnection(socket, sockets.length - 1);
  });
  await new Promise<void>((resolve) => daemon?.listen(home.socket, resolve));
  const stop = new AbortController();
  const context = {
    env: {},
    home,
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    signal: stop.signal,
  };
  return { context, stop };
}

it("carries lines both ways, and what was under way when the host closed its side still arrives", async () => {
  const { context } = await listen(async (socket) => {
    const asked = await text(socket);
    socket.end(asked.toUpperCase());
  });
  const answer = text(context.stdout);
  const done = runBridge(context);
  context.stdin.end("hello\n");
  expect(await done).toBe(0);
  context.stdout.end();
  expect(await answer).toBe("HELLO\n");
});

it("holds megabytes back until the host reads them", async () => {
  const big = `${"x".repeat(64 * 1024 - 1)}\n`.repeat(128);
  const { context } = await listen((socket) => {
    socket.end(big);
    socket.resume();
  });
  const done = runBridge(context);
  await new Promise((resolve) => context.stdout.once("readable", resolve));
  expect(context.stdout.readableLength).toBeLessThan(1024 * 1024);
  const answer = text(context.stdout);
  expect(await done).toBe(1);
  context.stdout.end();
  expect((await answer).length).toBe(big.length);
});

it.each([
  ["closes", (socket: Socket) => socket.end(), /the daemon closed the connection/],
  ["dies", (socket: Socket) => socket.destroy(), /the daemon closed the connection/],
])("a daemon that %s gives the host an end and says so", async (_, leave, said) => {
  const { context } = await listen((socket) => socket.once("data", () => leave(socket)));
  const errors = text(context.stderr);
  const done = runBridge(context);
  context.stdin.write("hello\n");
  expect(await done).toBe(1);
  expect(context.stdin.destroyed).toBe(true);
  context.stderr.end();
  expect(await errors).toMatch(said);
});

type Rpc = { id?: unknown; method?: string; params?: unknown; result?: unknown };

/** What a daemon hears, line by line; it welcomes whoever asks. */
function speak(socket: Socket, onMessage: (message: Rpc) => void): void {
  socket.on("error", () => undefined);
  socket.once("end", () => socket.end());
  createInterface({ input: socket }).on("line", (line) => {
    const message: Rpc = JSON.parse(line);
    if (message.method === "initialize")
      socket.write(`${JSON.stringify({ jsonrpc: "2.0", id: message.id, result: { hello: true } })}\n`);
    onMessage(message);
  });
}

function hostOf({
  stdin,
  stdout,
}: Pick<BridgeContext, "stdin" | "stdout"> & { stdin: PassThrough; stdout: PassThrough }) {
  const answers = createInterface({ input: stdout })[Symbol.asyncIterator]();
  return {
    say: (message: Rpc) => stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`),
    async hear(): Promise<Rpc> {
      const { value = "{}" } = await answers.next();
      return JSON.parse(value);
    },
  };
}

it("a session goes on with the next daemon, which hears how it began; what was under way is answered as unknown", async () => {
  const heard: Rpc[][] = [];
  const { context } = await listen((socket, index) => {
    const mine: Rpc[] = [];
    heard.push(mine);
    speak(socket, (message) => {
      mine.push(message);
      if (message.method !== "tools/call" && message.method !== "tools/list") return;
      if (index === 0) socket.destroy();
      else socket.write(`${JSON.stringify({ jsonrpc: "2.0", id: message.id, result: "done" })}\n`);
    });
  });
  const { say, hear } = hostOf(context);
  // As a daemon that died leaves it behind; one that is stopped removes it.
  writeFileSync(context.home.info, "{}");
  const done = runBridge(context);
  say({ id: 0, method: "initialize", params: { clientInfo: { name: "a" } } });
  expect(await hear()).toMatchObject({ id: 0, result: { hello: true } });
  say({ method: "notifications/initialized" });
  say({ id: "a", method: "prompts/list" });
  say({ id: 1, method: "tools/call", params: { name: "status" } });
  expect(await hear()).toMatchObject({ id: "a", error: { message: expect.stringContaining("not known") } });
  expect(await hear()).toMatchObject({
    id: 1,
    result: { isError: true, content: [{ text: expect.stringContaining("not known") }] },
  });

  say({ id: 2, method: "tools/call" });
  expect(await hear()).toMatchObject({ method: "notifications/tools/list_changed" });
  expect(await hear()).toMatchObject({ id: 2, result: "done" });
  expect(heard[1]?.map(({ id, method }) => [id, method])).toEqual([
    [0, "initialize"],
    [undefined, "notifications/initialized"],
    [2, "tools/call"],
  ]);
  context.stdin.end();
  expect(await done).toBe(0);
});

it("no call starts a daemon again that a person stopped, but the one that the person starts is found", async () => {
  const { context } = await listen((socket) =>
    speak(socket, ({ id, method }) => {
      if (method === "tools/call") socket.write(`${JSON.stringify({ jsonrpc: "2.0", id, result: "done" })}\n`);
    }),
  );
  const { say, hear } = hostOf(context);
  const done = runBridge(context, 100);
  say({ id: 0, method: "initialize" });
  await hear();
  const stopped = daemon;
  const gone = new Promise((resolve) => stopped?.close(resolve));
  const noticed = new Promise((resolve) => context.stderr.once("readable", resolve));
  for (const socket of sockets) socket.destroy();
  await Promise.all([gone, noticed]);
  say({ id: 1, method: "tools/call" });
  const refusal = JSON.stringify(await hear());
  expect(refusal).toContain("was stopped on this machine");
  expect(refusal).toContain("jr start");
  expect(existsSync(context.home.logs)).toBe(false);

  await new Promise<void>((resolve) => stopped?.listen(context.home.socket, resolve));
  say({ id: 2, method: "tools/call" });
  expect(await hear()).toMatchObject({ method: "notifications/tools/list_changed" });
  expect(await hear()).toMatchObject({ id: 2, result: "done" });
  context.stdin.end();
  expect(await done).toBe(0);
});

it("a host that goes away ends the bridge quietly", async () => {
  let closed: Promise<unknown> | undefined;
  const { context } = await listen((socket) => {
    socket.on("error", () => undefined);
    closed = new Promise((resolve) => socket.once("close", resolve));
    socket.write("answer\n");
    socket.resume();
    socket.once("end", () => socket.end());
  });
  const errors = text(context.stderr);
  const done = runBridge(context);
  await new Promise((resolve) => context.stdout.once("readable", resolve));
  context.stdout.destroy();
  context.stdin.end();
  expect(await done).toBe(0);
  await closed;
  context.stderr.end();
  expect(await errors).toBe("");
});
