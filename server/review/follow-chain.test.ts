import { sql } from "kysely";
import { expect, test } from "vitest";
import { approvalsFixture } from "./approvals-fixture.ts";

test("a status verifies the chain anew only where a row is not the one that was verified", async () => {
  await using it = await approvalsFixture();
  for (const version of [1, 2, 3]) {
    await it.addVersion(version, `source ${version}`);
    await it.approve(version);
  }
  const { head } = await it.approvals.status();
  // The very same object: the chain was not built again.
  expect((await it.approvals.status()).head).toBe(head);

  const first = await it.db.selectFrom("decisions").selectAll().orderBy("seq").limit(1).executeTakeFirstOrThrow();
  const change = (name: string) => it.db.updateTable("decisions").set({ name }).where("seq", "=", first.seq).execute();
  await change("another");
  const changed = await it.approvals.status();
  expect(changed.problem).toContain("cut or rewritten");
  expect(changed.refused[0]).toMatchObject({ seq: first.seq, reason: "its columns differ from its signed text" });
  await change(first.name);
  expect(await it.approvals.status()).toMatchObject({ problem: null, head });
});

test("who asks while a look is under way shares the next one, and sees what was there when they asked", async () => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "source 1");
  const scans = async () => {
    await sql`select pg_stat_force_next_flush()`.execute(it.db);
    const { rows } = await sql<{ scans: number }>`select seq_scan + coalesce(idx_scan, 0) as scans
      from pg_stat_user_tables where relname = 'decisions'`.execute(it.db);
    return rows[0]?.scans ?? Number.NaN;
  };
  const ask = (times: number) => Array.from({ length: times }, () => it.approvals.active("watch"));
  const before = ask(20);
  await it.approve(1);
  const begun = await scans();
  const after = await Promise.all(ask(40));
  expect((await scans()) - begun).toBeLessThanOrEqual(4);
  expect(after.map((active) => active?.version)).toEqual(Array(40).fill(1));
  await Promise.all(before);
});
