import { sql } from "kysely";
import { z } from "zod";
import type { Db } from "./open-store.ts";

const shape = z.object({
  name: z.string(),
  columns: z.array(z.object({ name: z.string(), type: z.string(), identity: z.boolean() })),
  /** Tables that its foreign keys point to. */
  needs: z.array(z.string()),
});

/** A table as the database itself describes it. */
export type TableShape = Readonly<z.infer<typeof shape>>;

/**
 * Every table of ours but the migrations' own, each behind those that its foreign keys point to. The database says what there is, so
 * that nothing which a migration adds can be forgotten.
 */
export async function describeTables(db: Db): Promise<TableShape[]> {
  const { rows } = await sql<{ table: unknown }>`
    select json_build_object('name', c.relname,
      'columns', (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
          'identity', a.attidentity <> '') order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
      'needs', (select coalesce(json_agg(distinct f.relname), '[]')
        from pg_constraint k join pg_class f on f.oid = k.confrelid
        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid)) as table
    from pg_class c
    where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace and c.relname not like 'kysely\\_migration%'
    order by c.relname`.execute(db);
  const waiting = rows.map(({ table }) => shape.parse(table));
  const ordered: TableShape[] = [];
  while (waiting.length > 0) {
    const placed = new Set(ordered.map(({ name }) => name));
    const next = waiting.findIndex(({ needs }) => needs.every((name) => placed.has(name)));
    // Tables that need each other would need constraints that can wait.
    if (next === -1) throw new Error(`tables need each other: ${waiting.map(({ name }) => name).join(", ")}`);
    ordered.push(...waiting.splice(next, 1));
  }
  return ordered;
}
