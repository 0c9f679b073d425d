import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { homePaths } from "../home.ts";
import { runBridge } from "./mcp.ts";

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

/** A stand-in for the daemon's side of the socket: the bridge only copies bytes, whatever they are. */
async function listen(onConnection: (socket: Socket) => void) {
  const home = homePaths({ JOBRUNNER_HOME: folder });
  daemon = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    onConnection(socket);
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

it("copies bytes both ways, and what was under way when the host closed its side still arrives", async () => {
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
  const big = "x".repeat(8 * 1024 * 1024);
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
