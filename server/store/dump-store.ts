import { createHash } from "node:crypto";
import { sql } from "kysely";
import { z } from "zod";
import { describeTables, type TableShape } from "./describe-tables.ts";
import { appliedMigrations } from "./migrate.ts";
import type { Db } from "./open-store.ts";

/** Rows of a table, a line of JSON each, as PostgreSQL itself writes and reads them: nothing is rounded or reordered. */
export type StorePart = Readonly<{ table: string; lines: string }>;

/** What a store holds, for comparing it with another. */
export const storeSummary = z.strictObject({
  /** Every migration that the store has had, in order. */
  migrations: z.array(z.string()).min(1),
  tables: z.array(
    z.strictObject({
      name: z.string(),
      columns: z.array(z.string()),
      rows: z.int().nonnegative(),
      /** The sum of the SHA-256 of each line, so that the order of rows does not matter. */
      digest: z.string(),
    }),
  ),
  /** The number that each counting column gives next. */
  identities: z.array(z.strictObject({ table: z.string(), column: z.string(), next: z.int().positive() })),
});
export type StoreSummary = z.infer<typeof storeSummary>;

/** Who executes runs is told anew by each that does. */
const notCarried = "workers";

/** About so many bytes of rows are in memory at a time; a row that is longer comes alone. */
const partBytes = 1024 * 1024;
const mostRows = 1_000;

/**
 * Hands every row to `write`, as of one moment, whatever else goes on: a read-only transaction with one snapshot. On the embedded
 * store, which has one connection, everybody else waits until it is done.
 */
export function dumpStore(db: Db, write: (part: StorePart) => Promise<void>): Promise<StoreSummary> {
  return db.transaction().execute(async (trx) => {
    await sql`set transaction isolation level repeatable read, read only`.execute(trx);
    // Times are written in the session's zone.
    await sql`set local time zone 'UTC'`.execute(trx);
    const migrations = await appliedMigrations(trx);
    const tables: StoreSummary["tables"] = [];
    const identities: StoreSummary["identities"] = [];
    for (const table of await describeTables(trx)) {
      if (table.name === notCarried) continue;
      tables.push(await dumpTable(trx, table, write));
      identities.push(...(await readIdentities(trx, table)));
    }
    return { migrations, tables, identities };
  });
}

async function dumpTable(
  trx: Db,
  { name, columns }: TableShape,
  write: (part: StorePart) => Promise<void>,
): Promise<StoreSummary["tables"][number]> {
  const cursor = `dump_${name}`;
  const rowsAtOnce = await rowsPerPart(trx, { name, columns });
  await sql`declare ${sql.id(cursor)} no scroll cursor for
    select row_to_json(t)::text as line from ${sql.table(name)} t`.execute(trx);
  let rows = 0;
  let digest = 0n;
  for (;;) {
    const { rows: some } = await sql<{ line: string }>`
      fetch forward ${sql.lit(rowsAtOnce)} from ${sql.id(cursor)}`.execute(trx);
    if (some.length === 0) break;
    rows += some.length;
    for (const { line } of some) digest += BigInt(`0x${createHash("sha256").update(line).digest("hex")}`);
    await write({ table: name, lines: some.map(({ line }) => `${line}\n`).join("") });
  }
  await sql`close ${sql.id(cursor)}`.execute(trx);
  const sum = BigInt.asUintN(256, digest).toString(16).padStart(64, "0");
  return { name, columns: columns.map((column) => column.name), rows, digest: sum };
}

/** As many rows as fit into a part if each were as long as the longest; lengths are known without reading what is long. */
async function rowsPerPart(trx: Db, { name, columns }: Pick<TableShape, "name" | "columns">): Promise<number> {
  const long = columns.filter(({ type }) => type === "text" || type === "bytea");
  if (long.length === 0) return mostRows;
  // Bytes are written as two digits each.
  const lengths = long.map(
    ({ name: column, type }) =>
      sql`coalesce(octet_length(${sql.ref(column)}), 0) * ${sql.lit(type === "bytea" ? 2 : 1)}`,
  );
  const { rows } = await sql<{ longest: number | null }>`
    select max(${sql.join(lengths, sql` + `)})::bigint as longest from ${sql.table(name)}`.execute(trx);
  return Math.max(1, Math.min(mostRows, Math.floor(partBytes / Math.max(1, rows[0]?.longest ?? 0))));
}

async function readIdentities(trx: Db, { name, columns }: TableShape): Promise<StoreSummary["identities"]> {
  const found: StoreSummary["identities"] = [];
  for (const { name: column, identity } of columns) {
    if (!identity) continue;
    // Counted outside of snapshots, so it is at or beyond whatever the rows hold.
    const { rows } = await sql<{ next: number }>`
      select coalesce(pg_sequence_last_value(pg_get_serial_sequence(${name}, ${column})::regclass), 0) + 1 as next`.execute(
      trx,
    );
    found.push({ table: name, column, next: rows[0]?.next ?? 1 });
  }
  return found;
}
