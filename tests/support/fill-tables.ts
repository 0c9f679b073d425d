import { sql } from "kysely";
import { describeTables } from "../../server/store/describe-tables.ts";
import type { Db } from "../../server/store/open-store.ts";

type Column = Readonly<{ name: string; type: string; nullable: boolean; identity: boolean }>;

/**
 * Puts two rows into every table that the database has, with a value in every column: the second leaves out what may be left out. The
 * database itself says which tables and columns there are, so that a new one is filled, too.
 */
export async function fillTables(db: Db): Promise<string[]> {
  const tables = await describeTables(db);
  for (const { name } of tables) for (const n of [0, 1]) await fillRow(db, name, n);
  return tables.map(({ name }) => name);
}

/** Every row of a table as PostgreSQL prints it, sorted. */
export function rowsAsText(db: Db, table: string): Promise<string[]> {
  return db.transaction().execute(async (trx) => {
    await sql`set local time zone 'UTC'`.execute(trx);
    const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(table)} t`.execute(trx);
    return rows.map(({ row }) => row).sort();
  });
}

async function fillRow(db: Db, table: string, n: number): Promise<void> {
  const parents = await parentValues(db, table, n);
  const columns = (await columnsOf(db, table)).filter(({ identity }) => !identity);
  const values = columns.map((column) => {
    const inherited = parents.get(column.name);
    if (inherited !== undefined) return sql`${inherited}::text::${sql.raw(column.type)}`;
    if (n === 1 && column.nullable) return sql`null`;
    return sql`${sampleValue(table, column, n)}::text::${sql.raw(column.type)}`;
  });
  const names = columns.map(({ name }) => sql.ref(name));
  await sql`insert into ${sql.table(table)} (${sql.join(names)}) values (${sql.join(values)})`.execute(db);
}

async function columnsOf(db: Db, table: string): Promise<Column[]> {
  const { rows } = await sql<Column>`
    select column_name as name, data_type as type, is_nullable = 'YES' as nullable, is_identity = 'YES' as identity
    from information_schema.columns where table_schema = current_schema() and table_name = ${table}
    order by ordinal_position`.execute(db);
  return rows;
}

function sampleValue(table: string, { name, type }: Column, n: number): string {
  switch (type) {
    case "text":
      return `${table}.${name}.${n} "quoted" \\ back, \u2028 é 🦀\n\t{"json":[1]}`;
    case "integer":
      return String(2_000_000_000 + n);
    case "bigint":
      return String(9_007_199_254_740_993n + BigInt(n));
    case "boolean":
      return n === 0 ? "true" : "false";
    case "timestamp with time zone":
      return n === 0 ? "2026-03-29 01:02:03.123456+00" : "9999-12-31 00:00:00+00";
    case "bytea":
      return n === 0 ? "\\x00ff10" : "\\x";
    default:
      throw new Error(`${table}.${name} is of the type ${type}: tell this fixture of a value`);
  }
}

/** Values of the columns that point to other tables, from the n-th row there. */
async function parentValues(db: Db, table: string, n: number): Promise<Map<string, string>> {
  const { rows: keys } = await sql<{ own: string[]; target: string; their: string[] }>`
    select f.relname as target,
      (select json_agg(a.attname order by u.at) from unnest(k.conkey) with ordinality u (num, at)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.num) as own,
      (select json_agg(a.attname order by u.at) from unnest(k.confkey) with ordinality u (num, at)
        join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.num) as their
    from pg_constraint k join pg_class f on f.oid = k.confrelid
    where k.contype = 'f' and k.conrelid = ${table}::regclass`.execute(db);
  const values = new Map<string, string>();
  for (const { own, target, their } of keys) {
    const picked = their.map((name) => sql`${sql.ref(name)}::text as ${sql.ref(name)}`);
    const { rows } = await sql<Record<string, string>>`
      select ${sql.join(picked)} from ${sql.table(target)} order by 1 offset ${n} limit 1`.execute(db);
    for (const [index, name] of own.entries()) {
      const value = rows[0]?.[their[index] ?? ""];
      if (value !== undefined) values.set(name, value);
    }
  }
  return values;
}
