import { setTimeout as sleep } from "node:timers/promises";
import { type McpServerManifest, mcpServerManifestSchema } from "../../definitions/mcp-server-manifest.ts";
import { messageOf } from "../../errors.ts";
import { silentLog } from "../../log.ts";
import { connectMcpServer, type McpConnection } from "../../mcp/client/connect-mcp-server.ts";
import type { ToolResult } from "../loop/loop-host.ts";
import { mcpToolName } from "../mcp-tool-name.ts";
import type { StartMessage } from "../process/protocol.ts";
import type { ToolOffer } from "../providers/types.ts";

export type McpServers = AsyncDisposable &
  Readonly<{
    offers: readonly ToolOffer[];
    /** A server that has died is started again first. A failure is a result that the model reads. */
    call(server: string, tool: string, args: Readonly<Record<string, unknown>>): Promise<ToolResult>;
  }>;

/** How often in a row a server may die, and the pause before it is started again, which doubles. */
const mostRestarts = 3;
const restartPauseMs = 500;

type Settings = Readonly<{
  signal: AbortSignal;
  folder: string;
  log(level: "info" | "warn", text: string): void;
}>;

/** Connects to an agent's MCP servers and lists the tools that its role may call. Throws `secret_not_found`, `mcp_server_failed`. */
export async function openMcpServers(servers: StartMessage["mcp"], settings: Settings): Promise<McpServers> {
  const opened = await Promise.all(servers.map((server) => openServer(server, settings)));
  const byName = new Map(opened.map((server) => [server.name, server]));
  return {
    offers: opened.flatMap(({ offers }) => offers),
    async call(name, tool, args) {
      const server = byName.get(name);
      return server === undefined
        ? { content: `There is no MCP server "${name}" here.`, isError: true }
        : server.call(tool, args);
    },
    async [Symbol.asyncDispose]() {
      await Promise.allSettled(opened.map((server) => server.close()));
    },
  };
}

async function openServer(
  { name, manifest: json, tools, secrets }: StartMessage["mcp"][number],
  { signal, folder, log }: Settings,
) {
  const manifest: McpServerManifest = mcpServerManifestSchema.parse(json);
  const values = { get: (secret: string) => secrets[secret], names: () => Object.keys(secrets) };
  const connect = () => connectMcpServer(manifest, { name, secrets: values, signal, cwd: folder, log: silentLog });
  let connection: McpConnection | undefined = await connect();
  let deaths = 0;
  watch(connection);
  const offers = await listOffers(connection);

  function watch(opened: McpConnection): void {
    opened.ended.then((why) => {
      if (connection !== opened || signal.aborted) return;
      connection = undefined;
      deaths += 1;
      log("warn", `the MCP server ${name} has ended: ${why}`);
    });
  }

  async function listOffers(opened: McpConnection): Promise<ToolOffer[]> {
    const found = await opened.tools();
    const missing = tools.filter((tool) => !found.some((each) => each.name === tool));
    if (missing.length > 0) log("warn", `the MCP server ${name} has no ${missing.join(", ")}`);
    return found
      .filter((tool) => tools.includes(tool.name))
      .map(({ name: tool, description, inputSchema }) => ({
        name: mcpToolName(name, tool),
        description,
        inputSchema: { ...inputSchema },
      }));
  }

  async function living(): Promise<McpConnection> {
    if (connection !== undefined) return connection;
    if (deaths > mostRestarts)
      throw new Error(`the MCP server ${name} has ended ${deaths} times, and is not started again`);
    await sleep(restartPauseMs * 2 ** (deaths - 1), undefined, { signal });
    const opened = await connect();
    connection = opened;
    watch(opened);
    log("info", `the MCP server ${name} was started again`);
    return opened;
  }

  return {
    name,
    offers,
    async call(tool: string, args: Readonly<Record<string, unknown>>): Promise<ToolResult> {
      try {
        const opened = await living();
        const { text, isError } = await opened.call(tool, args, { signal });
        return { content: text, isError };
      } catch (thrown) {
        signal.throwIfAborted();
        return { content: `${messageOf(thrown)}`, isError: true };
      }
    },
    async close() {
      const opened = connection;
      connection = undefined;
      await opened?.[Symbol.asyncDispose]();
    },
  };
}
