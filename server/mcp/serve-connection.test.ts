import { describe, expect, it } from "vitest";
import { connectTestHost } from "../../tests/support/mcp-host.ts";
import type { SharedContext } from "../../tools/tool-context.ts";
import { UserError } from "../errors.ts";

const storeNeverOpens = () => new Promise<SharedContext>(() => undefined);

describe("before the store is open", () => {
  it("answers initialize and every list from constants", async () => {
    await using host = await connectTestHost(storeNeverOpens);
    expect(host.client.getServerVersion()?.name).toBe("jobrunner");
    const instructions = host.client.getInstructions() ?? "";
    expect(Buffer.byteLength(instructions)).toBeLessThan(2048);
    expect(instructions.slice(0, 400)).toMatch(/person signs[\s\S]*No tool approves/);
    const { tools } = await host.client.listTools();
    expect(tools.length).toBeLessThanOrEqual(20);
    for (const tool of tools) {
      expect(Object.keys(tool.annotations ?? {}).sort()).toEqual([
        "destructiveHint",
        "idempotentHint",
        "openWorldHint",
        "readOnlyHint",
      ]);
      expect(tool.inputSchema.additionalProperties).toBe(false);
      expect(tool.outputSchema).toBeUndefined();
    }
    expect((await host.client.listPrompts()).prompts.map((prompt) => prompt.name)).toEqual([
      "write-job",
      "approve-job",
      "triage-failures",
      "plan-work",
    ]);
    expect((await host.client.listResourceTemplates()).resourceTemplates.length).toBe(5);
  });

  it("no tool can approve", async () => {
    await using host = await connectTestHost(storeNeverOpens);
    const { tools } = await host.client.listTools();
    expect(tools.filter((tool) => /approve|sign|decide|activate/.test(tool.name))).toEqual([]);
  });

  it("a call that waits for the store ends when the host cancels it", async () => {
    await using host = await connectTestHost(storeNeverOpens);
    const stop = new AbortController();
    const call = host.client.callTool({ name: "status", arguments: {} }, undefined, { signal: stop.signal });
    stop.abort("changed my mind");
    await expect(call).rejects.toThrow(/changed my mind/);
    expect(await host.client.ping()).toEqual({});
  });

  it("a host that vanishes in mid-call leaves nothing behind", async () => {
    await using host = await connectTestHost(storeNeverOpens);
    const call = host.client.callTool({ name: "status", arguments: {} });
    host.vanish();
    await expect(call).rejects.toThrow(/closed/i);
    await host.served;
  });
});

describe("the error boundary", () => {
  it("tells the caller's mistakes with what to do next", async () => {
    await using host = await connectTestHost(async () => {
      throw new UserError("store_unavailable", "The database does not answer.", { next: "status" });
    });
    expect(await host.call("status")).toEqual({
      isError: true,
      text: "**store_unavailable** The database does not answer.\n\nNext: status",
    });
  });

  it("tells a bug by its id alone", async () => {
    await using host = await connectTestHost(async () => {
      throw new Error("secret detail");
    });
    const answer = await host.call("status");
    expect(answer.isError).toBe(true);
    expect(answer.text).toMatch(/\*\*internal_error\*\* .* \(id [0-9a-f]{16}\)/);
    expect(answer.text).not.toContain("secret detail");
    await expect(host.client.readResource({ uri: "job://x/source" })).rejects.toThrow(/id [0-9a-f]{16}/);
  });

  it("names the nearest tool and every tool for an unknown one", async () => {
    await using host = await connectTestHost(storeNeverOpens);
    const answer = await host.call("job_sumbit");
    expect(answer).toMatchObject({
      isError: true,
      text: expect.stringMatching(/Did you mean "job_submit"\?[\s\S]*Next: one of job_submit/),
    });
  });
});
