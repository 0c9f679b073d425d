import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { McpServerManifest } from "../../definitions/mcp-server-manifest.ts";
import { packageRoot } from "../../home.ts";
import { openMcpServers } from "./mcp-servers.ts";

const child = join(packageRoot, "tests", "support", "mcp-child.ts");

test("a server that dies is named, started again after a pause, and given up in the end", async () => {
  const said: string[] = [];
  const manifest: McpServerManifest = { transport: "stdio", command: process.execPath, args: [child, "good"], env: {} };
  await using servers = await openMcpServers(
    [{ name: "tools", manifest, tools: ["add", "die", "lost"], secrets: {} }],
    { signal: new AbortController().signal, folder: tmpdir(), log: (_, text) => void said.push(text) },
  );
  expect(servers.offers).toHaveLength(2);
  expect(said).toEqual(["the MCP server tools has no lost"]);
  const call = (tool: string, args = {}) => servers.call("tools", tool, args);
  for (let death = 1; death <= 3; death++) {
    expect(await call("die")).toMatchObject({ isError: true, content: expect.stringContaining("out of luck") });
    expect(await call("add", { a: death, b: 1 })).toEqual({ content: String(death + 1), isError: false });
    expect(said.slice(-2)).toEqual([
      expect.stringMatching(/^the MCP server tools has ended: .*exit code 3/s),
      "the MCP server tools was started again",
    ]);
  }
  await call("die");
  expect(await call("add", { a: 1, b: 1 })).toEqual({
    content: "the MCP server tools has ended 4 times, and is not started again",
    isError: true,
  });
});
