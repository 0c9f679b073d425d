import { createConnection, createServer } from "node:net";
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { deserializeMessage, serializeMessage } from "@modelcontextprotocol/sdk/shared/stdio.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { z } from "zod";
import { silentLog } from "../../server/log.ts";
import { serveConnection } from "../../server/mcp/serve-connection.ts";
import type { SharedContext } from "../../tools/tool-context.ts";

/** What a tool answered: its text, and whether it was refused. */
export type Answer = Readonly<{ text: string; isError: boolean }>;

export type TestHost = Readonly<{
  client: Client;
  call(name: string, args?: Record<string, unknown>): Promise<Answer>;
  /** Drops the connection without a word. */
  vanish(): void;
  /** Settles when the server's side of the connection has ended. */
  served: Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}>;

const result = z.object({
  content: z.tuple([z.object({ type: z.literal("text"), text: z.string() })]),
  isError: z.boolean().optional(),
});

/** A real MCP client on a real socket to a real MCP server, as a host that came through the bridge. */
export async function connectTestHost(context: () => Promise<SharedContext>): Promise<TestHost> {
  let served: Promise<void> = Promise.resolve();
  const listener = createServer({ allowHalfOpen: true }, (stream) => {
    served = serveConnection({ stream, context, log: silentLog });
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const socket = createConnection({ port: address.port });
  const transport: Transport = {
    async start() {
      createInterface({ input: socket }).on("line", (line) => transport.onmessage?.(deserializeMessage(line)));
      socket.once("close", () => transport.onclose?.());
    },
    async send(message) {
      socket.write(serializeMessage(message));
    },
    async close() {
      socket.destroy();
    },
  };
  const client = new Client({ name: "test-host", version: "1.2.3" });
  await client.connect(transport);
  return {
    client,
    async call(name, args = {}) {
      const { content, isError } = result.parse(await client.callTool({ name, arguments: args }));
      return { text: content[0].text, isError: isError === true };
    },
    vanish: () => socket.destroy(),
    get served() {
      return served;
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await served;
      await new Promise((resolve) => listener.close(resolve));
    },
  };
}
