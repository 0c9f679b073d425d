import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { homePaths } from "../server/home.ts";
import { silentLog } from "../server/log.ts";
import { createApprovals } from "../server/review/approvals.ts";
import { createTasks } from "../server/tasks/create-tasks.ts";
import { testToolContext } from "../tests/support/mcp-context.ts";
import { connectTestHost, type TestHost } from "../tests/support/mcp-host.ts";
import { storeKinds, testStore } from "../tests/support/store.ts";

const hosts = 50;
const tasks = 1_000;

test.each(storeKinds)(
  "50 clients claim 1,000 tasks, and each is held once (%s)",
  { timeout: 240_000 },
  async (kind) => {
    await using store = await testStore(kind);
    const root = mkdtempSync(join(tmpdir(), "jr-claims-"));
    const home = homePaths({ JOBRUNNER_HOME: root });
    await using approvals = await createApprovals({ store, home, log: silentLog });
    const context = testToolContext({ home, deps: { store, approvals } });
    const made = Array.from({ length: tasks }, (_, n) => ({ title: `n${n}`, priority: n % 7 }));
    await createTasks(store.db, { tasks: made, by: { actor: "test", traceId: null } });
    const clients = await Promise.all(Array.from({ length: hosts }, () => connectTestHost(async () => context)));

    async function work(host: TestHost): Promise<string[]> {
      const held: string[] = [];
      for (;;) {
        const { text } = await host.call("task_update", { task: "next", action: "claim" });
        const [, task] = /^(T\d+) n\d+ is yours until .* \(claim 1\)/.exec(text) ?? [];
        if (task === undefined) {
          expect(text).toBe("No task is ready.");
          return held;
        }
        held.push(task);
      }
    }

    const held = await Promise.all(clients.map(work));
    expect(held.flat()).toHaveLength(tasks);
    expect(new Set(held.flat()).size).toBe(tasks);
    const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from task_history where kind = 'claimed' and actor = 'test-host 1.2.3'`.execute(
      store.db,
    );
    expect(rows).toEqual([{ count: tasks }]);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    rmSync(root, { recursive: true });
  },
);
