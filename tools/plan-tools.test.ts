import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AgentCaller } from "../server/agents/agent-caller.ts";
import { approvalsFixture } from "../server/review/approvals-fixture.ts";
import { testToolContext } from "../tests/support/mcp-context.ts";
import { connectTestHost, type TestHost } from "../tests/support/mcp-host.ts";

let fixture: Awaited<ReturnType<typeof approvalsFixture>>;
let host: TestHost;
let agent: AgentCaller | undefined;

beforeAll(async () => {
  fixture = await approvalsFixture();
  host = await connectTestHost(async () => ({ ...testToolContext(fixture), agent }));
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await fixture[Symbol.asyncDispose]();
});

const draft = {
  goal: "Tidy up",
  nodes: [
    { key: "look", kind: "host", prompt: "Look." },
    { key: "ask", kind: "person", prompt: "Agree? ${look.output}" },
  ],
  plan_only: true,
};

describe("plans over MCP", () => {
  it("keeps a draft, shows it, starts and cancels it, and is nobody's task before that", async () => {
    const made = await host.call("plan_create", { ...draft, caps: { usd: 500, minutes: 5 } });
    expect(made.text).toContain("P1 is a draft.");
    expect(made.text).toContain("2 nodes in 2 levels");
    expect(made.text).toContain("Lowered to what config.yaml allows: usd.");
    expect((await host.call("task_list", { plan: "P1" })).text).toContain("No tasks");
    expect((await host.call("plan_control", { plan: "P1" })).text).toContain("# P1 draft: Tidy up");
    expect((await host.call("plan_control", { plan: 1, node: "ask" })).text).toContain("# P1 ask (person): waiting");
    expect((await host.call("plan_control", { action: "list" })).text).toContain("- **P1** draft · Tidy up");
    expect((await host.call("plan_control", { plan: "P1", action: "resume" })).text).toContain("# P1 running");
    expect((await host.call("task_list", { plan: "P1" })).text).toContain("ask: Agree?");
    expect((await host.call("plan_control", { plan: "P1", action: "report" })).text).toContain("## Nodes");
    expect((await host.call("plan_control", { plan: "P1", action: "cancel" })).text).toContain("# P1 cancelling");
  });

  it.each([
    ["plan_create", { goal: "x" }, "plan_invalid", /not_approved|planner/],
    [
      "plan_create",
      { goal: "x", nodes: [{ key: "a", role: "nobody", prompt: "p" }] },
      "plan_invalid",
      /there is no role "nobody"/,
    ],
    [
      "plan_create",
      { goal: "x", nodes: [{ key: "a", kind: "host", promt: "p" }] },
      "plan_invalid",
      /Did you mean "prompt"/,
    ],
    [
      "plan_create",
      {
        goal: "x",
        nodes: [
          { key: "a", kind: "host", prompt: "p", needs: ["b"] },
          { key: "b", kind: "host", prompt: "${a.output}" },
        ],
      },
      "plan_invalid",
      /a → b → a/,
    ],
    ["plan_control", { plan: "P99" }, "plan_not_found", /no plan P99/],
    ["plan_control", { plan: "T1" }, "invalid_argument", /P3/],
    ["plan_control", { action: "stop" }, "invalid_argument", /needs a plan/],
    ["plan_control", { plan: "P1", action: "cancel", node: "ask" }, "invalid_argument", /whole plan/],
    ["plan_control", { action: "list", node: "ask" }, "invalid_argument", /whole plan/],
    ["plan_control", { plan: "P1", node: "aks" }, "plan_not_found", /Did you mean "ask"/],
    ["plan_control", { plan: "P1", action: "retry" }, "plan_not_ready", /stop/],
  ])("%s %j says what is wrong", async (tool, args, code, said) => {
    const answer = await host.call(tool, args);
    expect(answer.isError).toBe(true);
    if (!/planner/.test(String(said))) expect(answer.text).toContain(`**${code}**`);
    expect(answer.text).toMatch(said);
  });

  it("agents of ours read plans, and neither make nor steer any", async () => {
    agent = { id: 7, role: "r", jobs: [], depth: 0, depthLeft: 1, planId: 1, taskId: null, folder: null, traceId: "t" };
    expect(await host.call("plan_create", draft)).toMatchObject({
      isError: true,
      text: expect.stringContaining("permission_denied"),
    });
    expect(await host.call("plan_control", { plan: "P1", action: "cancel" })).toMatchObject({ isError: true });
    expect((await host.call("plan_control", { plan: "P1" })).isError).toBe(false);
    agent = undefined;
  });
});
