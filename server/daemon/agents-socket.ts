import { chmodSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import type { SharedContext } from "../../tools/tool-context.ts";
import type { Home } from "../home.ts";
import type { Log } from "../log.ts";
import { serveConnection } from "../mcp/serve-connection.ts";

/** How long answers under way may still be written at the end. */
const flushMs = 500;

/**
 * The agents' door: one MCP server for each connection. It listens before the store is open, and only the holder of the
 * home's lock may call this: a socket file that is there already is a dead daemon's.
 */
export async function listenForAgents(options: {
  home: Home;
  context: () => Promise<SharedContext>;
  log: Log;
}): Promise<AsyncDisposable> {
  const { home, context, log } = options;
  const open = new Set<Socket>();
  // Half-open, so that a host that has said its last word still gets the answers.
  const server = createServer({ allowHalfOpen: true }, (stream) => {
    open.add(stream);
    stream.once("close", () => open.delete(stream));
    serveConnection({ stream, context, log }).catch((error: unknown) => {
      log.error({ err: error }, "mcp: a connection broke");
      stream.destroy();
    });
  });
  const isFile = process.platform !== "win32";
  if (isFile) rmSync(home.socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(home.socket, resolve);
  });
  if (isFile) chmodSync(home.socket, 0o600);
  server.on("error", (error) => log.error({ err: error }, "mcp: the socket is in trouble"));

  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const stream of open) stream.end();
      const force = setTimeout(() => {
        for (const stream of open) stream.destroy();
      }, flushMs);
      await closed;
      clearTimeout(force);
    },
  };
}
