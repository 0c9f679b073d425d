import type {
  CallToolRequest,
  CallToolResult,
  GetPromptRequest,
  GetPromptResult,
  ListResourcesResult,
  ReadResourceRequest,
  ReadResourceResult,
} from "@modelcontextprotocol/sdk/types.js";
import { tools } from "../../tools/table.ts";
import { type Boundary, callTool, protocolAnswer } from "./boundary.ts";
import { getPrompt, promptList } from "./prompts.ts";
import { listResources, readResource, resourceTemplates } from "./resources.ts";

/*
 * All that a host asks for after `initialize`. It reaches nearly everything of JobRunner, so that it is loaded when the first one
 * asks, or when the store opens.
 */

const listed = tools.map(({ name, title, description, annotations, inputSchema }) => ({
  name,
  title,
  description,
  annotations: { ...annotations },
  inputSchema: { ...inputSchema, type: "object" as const },
}));

/** What answers each kind of request. Lists come from constants and need no store; the rest awaits the boundary's context. */
export const requests = {
  listTools: () => ({ tools: listed }),
  callTool: (boundary: Boundary, params: CallToolRequest["params"]): Promise<CallToolResult> =>
    callTool(boundary, params),
  listPrompts: () => ({ prompts: promptList }),
  getPrompt: (boundary: Boundary, params: GetPromptRequest["params"]): Promise<GetPromptResult> =>
    protocolAnswer(boundary, `prompt ${params.name}`, (context) => getPrompt(context, params)),
  listResourceTemplates: () => ({ resourceTemplates }),
  listResources: (boundary: Boundary): Promise<ListResourcesResult> =>
    protocolAnswer(boundary, "resources", listResources),
  readResource: (boundary: Boundary, params: ReadResourceRequest["params"]): Promise<ReadResourceResult> =>
    protocolAnswer(boundary, `resource ${params.uri}`, (context) => readResource(context, params.uri)),
};
