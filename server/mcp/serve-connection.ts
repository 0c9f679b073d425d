import type { Duplex } from "node:stream";
import type { SharedContext } from "../../tools/tool-context.ts";
import type { Log } from "../log.ts";
import { createMcpServer } from "./create-server.ts";
import { lineTransport } from "./line-transport.ts";

/**
 * Serves MCP on one connection of the agents' socket until it ends. `initialize` and every list are answered at once;
 * calls wait for `context`, which resolves when the store is open and rejects with the reason when it cannot be.
 */
export async function serveConnection(options: {
  stream: Duplex;
  context: () => Promise<SharedContext>;
  log: Log;
}): Promise<void> {
  const { stream, context, log } = options;
  const server = createMcpServer({ context, log });
  const closed = new Promise<void>((resolve) => {
    server.onclose = resolve;
  });
  await server.connect(lineTransport(stream, log));
  await closed;
}
