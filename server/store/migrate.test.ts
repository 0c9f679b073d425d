import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { testStore } from "../../tests/support/store.ts";
import { findNewerMigration, migrate, migrations, newestMigration } from "./migrate.ts";

describe.each(["pglite", "postgres"] as const)("migrating on %s", (kind) => {
  test("a database that a newer release has migrated is refused and left alone", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    expect(await findNewerMigration(db)).toBeUndefined();
    await migrate(db);
    await sql`insert into kysely_migration (name, timestamp) values ('9999-future', '2030-01-01')`.execute(db);
    await sql`delete from kysely_migration where name = ${newestMigration}`.execute(db);
    await expect(migrate(db)).rejects.toMatchObject({
      code: "store_newer",
      message: expect.stringContaining("9999-future"),
    });
    expect(await findNewerMigration(db)).toBe("9999-future");
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
    expect(rows.map(({ name }) => name)).toEqual([
      ...Object.keys(migrations).filter((name) => name !== newestMigration),
      "9999-future",
    ]);
  });
});

test("migrations stand in the order of their names, which is the order in which they run", () => {
  expect(Object.keys(migrations)).toEqual(Object.keys(migrations).toSorted());
});
