import { randomUUID } from "node:crypto";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { Hono } from "hono";
import type { SharedContext } from "../../tools/tool-context.ts";
import type { Log } from "../log.ts";
import { createMcpServer } from "./create-server.ts";
import { guardRequest, refusal } from "./http-guard.ts";
import { maxMessageBytes } from "./line-transport.ts";

export type McpHttpDeps = Readonly<{
  context: () => Promise<SharedContext>;
  /** The bearer token of `home.mcpToken`. */
  token: string;
  log: Log;
  clock: () => Date;
  /** Names by which this machine may be called besides loopback's, without port. */
  hosts?: readonly string[];
  /** At most so many sessions; the one that was used longest ago makes room. */
  maxSessions?: number;
  /** A session that is not used for so long is closed. */
  idleMs?: number;
}>;

type Session = { transport: WebStandardStreamableHTTPServerTransport; usedMs: number };

/** Streamable HTTP at `/mcp`: mount `app`, and dispose of it at shutdown, which closes every session. */
export function mcpRoutes(deps: McpHttpDeps): Readonly<{ app: Hono; [Symbol.asyncDispose](): Promise<void> }> {
  const { context, token, log, clock, hosts = [], maxSessions = 64, idleMs = 4 * 60 * 60 * 1000 } = deps;
  const sessions = new Map<string, Session>();

  const close = async (id: string) => {
    const session = sessions.get(id);
    sessions.delete(id);
    await session?.transport.close();
  };
  const closeIdle = async () => {
    const before = clock().getTime() - idleMs;
    const idle = Array.from(sessions).filter(([, session]) => session.usedMs < before);
    await Promise.all(idle.map(([id]) => close(id)));
  };
  const makeRoom = async () => {
    if (sessions.size < maxSessions) return;
    const oldest = Array.from(sessions).reduce((a, b) => (b[1].usedMs < a[1].usedMs ? b : a));
    await close(oldest[0]);
  };
  const openSession = async (): Promise<WebStandardStreamableHTTPServerTransport> => {
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: true,
      maxRequestBodySize: maxMessageBytes,
      onsessioninitialized: async (id) => {
        await makeRoom();
        sessions.set(id, { transport, usedMs: clock().getTime() });
      },
      onsessionclosed: (id) => {
        sessions.delete(id);
      },
    });
    await createMcpServer({ context, log }).connect(transport);
    return transport;
  };

  const app = new Hono();
  app.all("/mcp", async (c) => {
    const refused = guardRequest(c.req.raw, { token, hosts });
    if (refused !== undefined) return refused;
    await closeIdle();
    const id = c.req.header("mcp-session-id");
    if (id === undefined) {
      if (c.req.method !== "POST") return refusal(400, "Start a session first: POST an initialize request.");
      const transport = await openSession();
      const response = await transport.handleRequest(c.req.raw);
      // Anything but `initialize` opened no session, so nobody could ever use or close this server again.
      if (transport.sessionId === undefined) await transport.close();
      return response;
    }
    const session = sessions.get(id);
    if (session === undefined) return refusal(404, "That session has ended. Send a new initialize request.");
    session.usedMs = clock().getTime();
    return session.transport.handleRequest(c.req.raw);
  });

  return {
    app,
    async [Symbol.asyncDispose]() {
      await Promise.all(Array.from(sessions.keys(), close));
    },
  };
}
