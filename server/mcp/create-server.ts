import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { HostClient, SharedContext } from "../../tools/tool-context.ts";
import type { Log } from "../log.ts";
import { version } from "../version.ts";
import type { Boundary } from "./boundary.ts";
import { instructions } from "./instructions.ts";

/**
 * One MCP server for one connection or session. `initialize` is answered with what stands here; what answers the rest is loaded when
 * it is asked for. Calls await `context`.
 */
export function createMcpServer(options: { context: () => Promise<SharedContext>; log: Log }): Server {
  // The list changes with the release: the bridge tells its host when it goes on with another daemon.
  const server = new Server(
    { name: "jobrunner", title: "JobRunner", version },
    { capabilities: { tools: { listChanged: true }, prompts: {}, resources: {} }, instructions },
  );
  const client = (): HostClient => {
    const info = server.getClientVersion();
    return { name: hostName(info?.name ?? "unknown host"), version: info?.version ?? "" };
  };
  const boundary = (signal: AbortSignal): Boundary => ({ ...options, client: client(), signal });

  server.setRequestHandler(ListToolsRequestSchema, async () => (await load()).listTools());
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { signal }) =>
    (await load()).callTool(boundary(signal), params),
  );
  server.setRequestHandler(ListPromptsRequestSchema, async () => (await load()).listPrompts());
  server.setRequestHandler(GetPromptRequestSchema, async ({ params }, { signal }) =>
    (await load()).getPrompt(boundary(signal), params),
  );
  server.setRequestHandler(ListResourceTemplatesRequestSchema, async () => (await load()).listResourceTemplates());
  server.setRequestHandler(ListResourcesRequestSchema, async (_, { signal }) =>
    (await load()).listResources(boundary(signal)),
  );
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params }, { signal }) =>
    (await load()).readResource(boundary(signal), params),
  );
  server.onerror = (error) => options.log.warn({ err: error }, "mcp: connection trouble");
  return server;
}

const load = async () => (await import("./requests.ts")).requests;

/** A host calls itself what it likes; what would read as somebody of ours in a history gets a word in front. */
function hostName(name: string): string {
  return /^\W*(person|daemon|schedule|folder|agent|job|plan)\b/i.test(name) ? `host ${name}` : name;
}
