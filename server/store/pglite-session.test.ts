import { sql } from "kysely";
import { expect, test } from "vitest";
import { unsyncedPglite } from "../../tests/support/store.ts";
import { notify, pgliteStore } from "./open-store.ts";

test("a store whose database dies fails what was under way, opens again, and hears notifications again", async () => {
  const first = await unsyncedPglite();
  let opened = 0;
  const reopen = async () => {
    opened += 1;
    if (opened === 1) throw new Error("no room yet");
    return unsyncedPglite();
  };
  await using store = await pgliteStore(first, { reopen });
  const { db } = store;
  const heard = Promise.withResolvers<string>();
  await store.listen("test", heard.resolve);

  const cut = db.transaction().execute(async (trx) => {
    await sql`select 1`.execute(trx);
    first.execProtocolRawSync = () => {
      throw new Error("aborted");
    };
    await sql`select 2`.execute(trx);
  });
  const behind = sql`select 3`.execute(db);
  await expect(cut).rejects.toThrow("aborted");
  // Opening again failed, which is not tried anew at once.
  await expect(behind).rejects.toThrow("no room yet");
  await expect(sql`select 4`.execute(db)).rejects.toThrow("no room yet");
  expect(opened).toBe(1);
  await expect
    .poll(async () => (await sql`select 5`.execute(db).catch(() => undefined))?.rows.length, { timeout: 20_000 })
    .toBe(1);
  await db.transaction().execute((trx) => notify(trx, "test", "again"));
  expect(await heard.promise).toBe("again");
  expect(opened).toBe(2);
});
