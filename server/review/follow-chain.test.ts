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
