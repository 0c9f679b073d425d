import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { packageRoot } from "../home.ts";
import { agentsFixture } from "./agents-fixture.ts";
import { cancelAgent } from "./cancel-agent.ts";

/*
 * A host's program as an agent's model that hangs and takes no SIGTERM, with a helper of its own: nothing of it may go on, and cost
 * money, once its agent is over.
 */

vi.setConfig({ testTimeout: 120_000 });

const fakeCli = join(packageRoot, "tests", "support", "fake-clis", "fake-cli.mjs");
const started = z.object({ pid: z.int(), ppid: z.int(), helper: z.int() });
const wait = { timeout: 60_000, interval: 50 };

let fixture: Awaited<ReturnType<typeof agentsFixture>>;
beforeAll(async () => {
  fixture = await agentsFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** An agent whose program hangs, under a supervisor of its own; the processes of each start of it, as they come. */
async function hangingAgent(name: string) {
  const record = join(fixture.home.root, `${name}.jsonl`);
  const env = { FAKE_CLI: JSON.stringify({ record, replies: [{ hang: true }] }) };
  const { config } = fixture.deps;
  const claude = { ...config.agents.cloud.claude, enabled: true, command: fakeCli, env, timeoutMs: 600_000 };
  const agents = { ...config.agents, cloud: { ...config.agents.cloud, claude } };
  fixture.supervise(1, { config: { ...config, agents } });
  const agent = await fixture.spawn({ prompt: name, models: [{ provider: "claude", model: null }] });
  const starts = () => (existsSync(record) ? readFileSync(record, "utf8").trim().split("\n") : []);
  const start = async (n: number) => {
    await expect.poll(() => starts().length, wait).toBeGreaterThanOrEqual(n);
    return started.parse(JSON.parse(starts()[n - 1] ?? "null"));
  };
  return { agent, start };
}

const isGone = ({ pid, helper }: z.infer<typeof started>) =>
  [pid, helper].every((each) => {
    try {
      return !process.kill(each, 0);
    } catch {
      return true;
    }
  });

test("one whose agent is cancelled, or whose agent's process is killed, ends with it", async () => {
  const { agent, start } = await hangingAgent("hangs");
  const first = await start(1);
  process.kill(first.ppid, "SIGKILL");
  await expect.poll(() => isGone(first), wait).toBe(true);
  // It is taken up again, and asks its model anew.
  const second = await start(2);
  await cancelAgent(fixture.store.db, { id: agent.id, by: "person" });
  expect(await fixture.end(agent)).toMatchObject({ state: "cancelled" });
  await expect.poll(() => isGone(second), wait).toBe(true);
});
