import { sql } from "kysely";
import { describeTables } from "./describe-tables.ts";
import { dumpStore, type StorePart, type StoreSummary } from "./dump-store.ts";
import type { Db } from "./open-store.ts";

/** Puts what `dumpStore` gave into a migrated store. */
export type Loader = Readonly<{
  load(part: StorePart): Promise<void>;
  /** Lets the counting columns go on, reads everything again, and throws a plain Error where it is not what `summary` says. */
  finish(summary: StoreSummary): Promise<void>;
}>;

/** Makes the loader of an empty store whose shape is the dump's own. */
export async function createLoader(db: Db): Promise<Loader> {
  const tables = new Map((await describeTables(db)).map((table) => [table.name, table]));
  return {
    async load({ table, lines }) {
      const shape = tables.get(table);
      if (shape === undefined) throw new Error(`this release has no table ${table}`);
      const columns = sql.join(shape.columns.map(({ name }) => sql.ref(name)));
      const rows = `[${lines.trimEnd().split("\n").join(",")}]`;
      await sql`insert into ${sql.table(table)} (${columns}) overriding system value
        select ${columns} from json_populate_recordset(null::${sql.table(table)}, ${rows}::json)`.execute(db);
    },
    async finish(summary) {
      for (const { table, column, next } of summary.identities) await setNext(db, table, column, next);
      const problem = difference(summary, await dumpStore(db, async () => {}));
      if (problem !== undefined) throw new Error(`the copy differs: ${problem}`);
    },
  };
}

/** Makes a counting column give this number next. */
export async function setNext(db: Db, table: string, column: string, next: number): Promise<void> {
  await sql`select setval(pg_get_serial_sequence(${table}, ${column})::regclass, ${next}::bigint, false)`.execute(db);
}

/** In what two stores differ, in words; undefined where they hold the same. */
export function difference(wanted: StoreSummary, found: StoreSummary): string | undefined {
  const of = (summary: StoreSummary) => new Map(summary.tables.map((table) => [table.name, table]));
  const [one, other] = [of(wanted), of(found)];
  for (const name of new Set([...one.keys(), ...other.keys()])) {
    const [before, after] = [one.get(name), other.get(name)];
    if (before === undefined || after === undefined) return `only one has the table ${name}`;
    if (before.columns.join() !== after.columns.join()) return `${name} has other columns`;
    if (before.rows !== after.rows) return `${name} has ${after.rows} rows, not ${before.rows}`;
    if (before.digest !== after.digest) return `rows of ${name} differ`;
  }
  return undefined;
}
