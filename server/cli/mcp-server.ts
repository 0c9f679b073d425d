import { Command } from "commander";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { visibleLine } from "../review/visible-text.ts";
import { connectDaemon, type DaemonClient } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { fetchDefinitions, printDefinitions } from "./definition-answer.ts";
import { painter } from "./paint.ts";
import { jsonText } from "./show-list.ts";

type Options = { json?: boolean };

const toolAnswer = z.object({
  name: z.string(),
  description: z.string(),
  inputSchema: z.record(z.string(), z.unknown()),
});
const checkAnswer = z.object({ version: z.int(), ms: z.int(), tools: z.array(toolAnswer) });

/** `jr mcp-server …`: servers whose tools roles may use. */
export function command(context: CliContext): Command {
  const server = new Command("mcp-server").description("list and check the MCP servers of agents");
  server
    .command("list", { isDefault: true })
    .description("every server of mcp.json, and whether it is signed")
    .option("--json", "print JSON")
    .action(async (options: Options) => {
      const none = `No MCP servers: write them into ${context.home.mcpServers}, as {"mcpServers": {…}}.`;
      await printDefinitions(context, await connectDaemon(context), "mcp_server", { ...options, none });
    });
  server
    .command("check")
    .description("start signed servers, count their tools and end them again")
    .argument("[name]", "the server; every signed one where none is named")
    .option("--json", "print JSON")
    .action((name: string | undefined, options: Options) => check(context, name, options));
  server
    .command("tools")
    .description("what a server's tools are, as it tells them now")
    .argument("<name>", "the server")
    .option("--json", "print JSON, with the schemas of arguments")
    .action((name: string, options: Options) => tools(context, name, options));
  return server;
}

async function check(context: CliContext, name: string | undefined, { json }: Options): Promise<void> {
  const client = await connectDaemon(context);
  const names = name === undefined ? await signedServers(client) : [name];
  if (names.length === 0) say(context, "No MCP server is signed: jr mcp-server list");
  const paint = painter(context);
  const results = [];
  for (const each of names) {
    try {
      const { version, ms, tools: found } = await ask(client, each);
      results.push({ name: each, ok: true, version, ms, tools: found.length });
      if (!json) print(context, `${paint("green", "ok")}    ${each} v${version}: ${found.length} tools, ${ms} ms`);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      results.push({ name: each, ok: false, code: error.code, message: error.message });
      if (!json) print(context, `${paint("red", "fail")}  ${visibleLine(error.message)}`);
      if (!json && error.code !== "mcp_server_failed" && error.next !== undefined) say(context, `next: ${error.next}`);
    }
  }
  if (json) print(context, jsonText(results));
  if (results.some(({ ok }) => !ok)) process.exitCode = 1;
}

async function tools(context: CliContext, name: string, { json }: Options): Promise<void> {
  const { tools: found } = await ask(await connectDaemon(context), name);
  if (json) return print(context, jsonText(found));
  if (found.length === 0) say(context, `${name} has no tools.`);
  for (const tool of found) {
    const required = z.object({ required: z.array(z.string()).default([]) }).safeParse(tool.inputSchema).data?.required;
    print(context, `${painter(context)("bold", tool.name)}${required?.length ? ` (${required.join(", ")})` : ""}`);
    print(context, `  ${visibleLine(tool.description.split("\n")[0] ?? "").slice(0, 200)}`);
  }
}

async function signedServers(client: DaemonClient): Promise<string[]> {
  const { rows } = await fetchDefinitions(client, "mcp_server");
  return rows.filter(({ active, path }) => active !== null && path !== null).map((row) => row.name);
}

function ask(client: DaemonClient, name: string) {
  return client.post(`/api/definitions/mcp_server/${encodeURIComponent(name)}/check`, {}, checkAnswer);
}
