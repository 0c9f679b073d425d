import { join } from "node:path";
import { expect, test } from "vitest";
import type { Definition } from "../../definitions/definition.ts";
import { UserError } from "../../errors.ts";
import { packageRoot } from "../../home.ts";
import { silentLog } from "../../log.ts";
import { createMcpRegistry } from "./create-mcp-registry.ts";

const child = join(packageRoot, "tests", "support", "mcp-child.ts");
const { signal } = new AbortController();
const add = { tool: "add", args: { a: 1, b: 2 }, allowed: ["add", "die", "environment"], signal };

/** A registry of the server `tools`, whose signed definition a test can change. */
function registry(mode = "good", pauseMs = 20) {
  const state: { version: number; mode: string; signed: boolean } = { version: 1, mode, signed: true };
  const made = createMcpRegistry({
    async require(name): Promise<Definition<"mcp_server">> {
      if (!state.signed || name !== "tools") throw new UserError("not_approved", `${name} is not signed`);
      const env = { VERSION: String(state.version) };
      const args = [child, state.mode];
      const manifest = { transport: "stdio" as const, command: process.execPath, args, env };
      return { kind: "mcp_server", name, version: state.version, manifest, files: new Map() };
    },
    secrets: () => ({ get: () => undefined, names: () => [] }),
    log: silentLog,
    firstPauseMs: pauseMs,
  });
  return { ...made, state, [Symbol.asyncDispose]: () => made[Symbol.asyncDispose]() };
}

test("a role sees and calls the tools that it names, and no others", async () => {
  await using it = registry();
  expect((await it.tools("tools", ["add", "nothing"])).map(({ name }) => name)).toEqual(["add"]);
  expect(await it.call({ server: "tools", ...add })).toEqual({ text: "3", isError: false });
  await expect(it.call({ server: "tools", ...add, tool: "refuse" })).rejects.toMatchObject({
    code: "permission_denied",
    next: "granted: add, die, environment",
  });
  expect(it.health()).toEqual([{ name: "tools", version: 1, state: "up", problem: null, failures: 0 }]);
});

test("a server that dies is named, and started again", async () => {
  await using it = registry();
  await expect(it.call({ server: "tools", ...add, tool: "die", args: {} })).rejects.toThrow(/exit code 3/);
  await expect.poll(() => it.health()[0]?.state, { timeout: 10_000 }).toBe("up");
  expect(await it.call({ server: "tools", ...add })).toMatchObject({ text: "3" });
});

test("a server that cannot start is not tried at every call", async () => {
  await using it = registry("dead", 60_000);
  await expect(it.call({ server: "tools", ...add })).rejects.toThrow(/exit code 1/);
  await expect(it.call({ server: "tools", ...add })).rejects.toThrow(/is down .*no token.*started again in \d+ s/s);
  expect(it.health()).toEqual([expect.objectContaining({ state: "down", failures: 1 })]);
});

test("another signed version takes the place of the one that runs; a revoked one ends", async () => {
  await using it = registry();
  await it.call({ server: "tools", ...add });
  it.state.version = 2;
  const { text } = await it.call({ server: "tools", ...add, tool: "environment", args: {} });
  expect(JSON.parse(text)).toMatchObject({ VERSION: "2" });
  it.state.signed = false;
  await expect(it.call({ server: "tools", ...add })).rejects.toMatchObject({ code: "not_approved" });
  expect(it.health()).toEqual([]);
});
