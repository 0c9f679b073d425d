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
import { tools } from "../../tools/table.ts";
import type { HostClient, SharedContext } from "../../tools/tool-context.ts";
import type { Log } from "../log.ts";
import { version } from "../version.ts";
import { type Boundary, callTool, protocolAnswer } from "./boundary.ts";
import { instructions } from "./instructions.ts";
import { getPrompt, promptList } from "./prompts.ts";
import { listResources, readResource, resourceTemplates } from "./resources.ts";

/**
 * One MCP server for one connection or session. Lists are answered from constants, so they need no store; calls await `context`.
 */
export function createMcpServer(options: { context: () => Promise<SharedContext>; log: Log }): Server {
  const server = new Server(
    { name: "jobrunner", title: "JobRunner", version },
    { capabilities: { tools: {}, prompts: {}, resources: {} }, instructions },
  );
  const client = (): HostClient => {
    const info = server.getClientVersion();
    return { name: info?.name ?? "unknown host", version: info?.version ?? "" };
  };
  const boundary = (signal: AbortSignal): Boundary => ({ ...options, client: client(), signal });

  const listed = tools.map(({ name, title, description, annotations, inputSchema }) => ({
    name,
    title,
    description,
    annotations: { ...annotations },
    inputSchema: { ...inputSchema, type: "object" as const },
  }));
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: listed }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal }) => callTool(boundary(signal), params));

  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: promptList }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }, { signal }) =>
    protocolAnswer(boundary(signal), `prompt ${params.name}`, (context) => getPrompt(context, params)),
  );

  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates }));
  server.setRequestHandler(ListResourcesRequestSchema, (_, { signal }) =>
    protocolAnswer(boundary(signal), "resources", listResources),
  );
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }, { signal }) =>
    protocolAnswer(boundary(signal), `resource ${params.uri}`, (context) => readResource(context, params.uri)),
  );
  server.onerror = (error) => options.log.warn({ err: error }, "mcp: connection trouble");
  return server;
}
