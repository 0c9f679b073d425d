import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { z } from "zod";

/* A real MCP server for tests of our client: started as `node tests/support/mcp-child.ts MODE`. */

const mode = process.argv[2] ?? "good";

/** What a server of tests offers; `stdio` and HTTP alike. */
export function createTestMcpServer(): McpServer {
  const server = new McpServer({ name: "test-server", version: "1.0.0" });
  server.registerTool(
    "add",
    { description: "Adds two numbers", inputSchema: { a: z.number(), b: z.number() } },
    async ({ a, b }) => ({ content: [{ type: "text", text: String(a + b) }] }),
  );
  server.registerTool("environment", { description: "Shows its environment" }, async () => ({
    content: [{ type: "text", text: JSON.stringify(process.env) }],
  }));
  server.registerTool("refuse", { description: "Refuses" }, async () => ({
    isError: true,
    content: [{ type: "text", text: "not today" }],
  }));
  server.registerTool("flood", { description: "Answers at length" }, async () => ({
    content: [{ type: "text", text: "x".repeat(1_000_000) }],
  }));
  server.registerTool("picture", { description: "Answers with a picture" }, async () => ({
    content: [{ type: "image", mimeType: "image/png", data: "AAAA" }],
  }));
  server.registerTool("hang", { description: "Never answers" }, () => new Promise(() => {}));
  server.registerTool("die", { description: "Ends the server" }, async () => {
    process.stderr.write("out of luck\n");
    process.exit(3);
  });
  server.registerTool("grow", { description: "Adds a tool" }, async () => {
    server.registerTool("late", { description: "Was added" }, async () => ({ content: [] }));
    return { content: [{ type: "text", text: "grown" }] };
  });
  return server;
}

if (import.meta.main) {
  switch (mode) {
    case "silent":
      // Reads and never answers.
      process.stdin.resume();
      break;
    case "dead":
      process.stderr.write(`no token: ${process.env.TOKEN ?? "none"}\n`);
      process.exit(1);
      break;
    case "endless":
      // One line without an end.
      setInterval(() => process.stdout.write("x".repeat(1_000_000)), 1);
      break;
    case "stubborn":
      process.on("SIGTERM", () => {});
      process.stdin.on("end", () => setInterval(() => {}, 1_000));
      await createTestMcpServer().connect(new StdioServerTransport());
      break;
    default:
      // What is no JSON-RPC is passed over.
      process.stdout.write("npm warns of something\n");
      await createTestMcpServer().connect(new StdioServerTransport());
  }
}
