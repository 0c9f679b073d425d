import { expect, test } from "vitest";
import { testRole } from "../definitions/definitions-fixture.ts";
import { agentsFixture } from "./agents-fixture.ts";
import { mayCall } from "./budget/may-call.ts";
import { holdRestoredAgents } from "./hold-restored-agents.ts";
import { claimAgents } from "./queue.ts";

test("agents that a restored store holds as live are given up, and what they had reserved counts as used", async () => {
  await using fixture = await agentsFixture();
  const { db } = fixture.store;
  const [first, second] = [await fixture.spawn(), await fixture.spawn()];
  const [running] = await claimAgents(db, { owner: "the old machine", limit: 1 });
  expect(running?.id).toBe(first.id);
  const leave = await mayCall(db, {
    agentId: first.id,
    lease: running?.lease ?? 0,
    attempt: 1,
    limits: testRole().limits,
    request: { provider: "ollama", model: "qwen3:4b", promptTokens: 40, rawTokens: 40 },
    maxOutputTokens: 60,
    planCaps: null,
    config: fixture.deps.config.agents,
  });
  expect(leave).toMatchObject({ ok: true });

  expect(await holdRestoredAgents(db)).toEqual([first.id, second.id]);
  const rows = await db.selectFrom("agents").selectAll().orderBy("id").execute();
  expect(rows).toMatchObject([
    { state: "failed", lease_owner: null, tokens_in: 40, tokens_out: 60, reserved_tokens: 0 },
    { state: "failed", lease_owner: null, tokens_in: 0, reserved_tokens: 0 },
  ]);
  for (const { error } of rows) expect(JSON.parse(error ?? "")).toMatchObject({ reason: "lost", class: "permanent" });
  expect(await claimAgents(db, { owner: "the new machine", limit: 2 })).toEqual([]);
});
