import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { expect, test } from "vitest";
import { copySharedDatabase, unsyncedPglite } from "../../tests/support/store.ts";
import { openPglite } from "./open-pglite.ts";
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

test("a write that the disk refuses to sync fails, and the database opens again with all that was acknowledged", async () => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-refusing-"));
  const dataDir = join(folder, "data");
  copySharedDatabase(dataDir);
  let refuses = false;
  const syncBeside = async () => {
    if (refuses) throw new Error("EIO: i/o error, fsync");
  };
  let opened = 0;
  const reopen = () => {
    opened += 1;
    return openPglite(dataDir);
  };
  {
    const first = await openPglite(dataDir, { sync: () => {}, syncBeside });
    await using store = await pgliteStore(first, { reopen });
    const write = (detail: string) =>
      store.db.insertInto("events").values({ kind: "k", actor: "a", subject: "s", detail }).execute();
    await write("before");
    refuses = true;
    await expect(write("refused")).rejects.toThrow("EIO");
    await write("after");
    expect(opened).toBe(1);
    const rows = await store.db.selectFrom("events").select("detail").where("kind", "=", "k").execute();
    expect(rows.map(({ detail }) => detail)).toEqual(expect.arrayContaining(["before", "after"]));
  }
  rmSync(folder, { recursive: true });
});
