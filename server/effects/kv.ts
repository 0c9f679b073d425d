import { type SqlBool, sql } from "kysely";
import { z } from "zod";
import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import { defineEffect } from "./define-effect.ts";

const maxKey = 512;
const maxValueBytes = 256 * 1024;
const maxListed = 1_000;

const key = z
  .string()
  .min(1)
  .max(maxKey)
  .refine((text) => text.isWellFormed() && !text.includes("\0"), "a key holds no NUL and no lone surrogate");

/** `kv.get` and `kv.read`: the value with its revision, or null. */
export const kvGet = defineEffect({
  op: "kv.get",
  args: z.strictObject({ key }),
  safe: () => true,
  own: true,
  async perform({ db, job }, args) {
    const row = await findEntry(db, job, args.key);
    if (row === undefined) return null;
    const value: unknown = JSON.parse(row.value);
    return { value, revision: Number(row.revision) };
  },
});

/** `kv.set`: writes, with `ifRevision` only over that revision, and where it is null only where there is no value. */
export const kvSet = defineEffect({
  op: "kv.set",
  args: z.strictObject({
    key,
    value: z.unknown().refine((given) => given !== undefined, "a value is needed"),
    ifRevision: z.int().positive().nullable().optional(),
  }),
  safe: () => true,
  own: true,
  async perform({ db, job, clock }, args) {
    const value = JSON.stringify(args.value);
    const bytes = Buffer.byteLength(value);
    if (bytes > maxValueBytes) {
      throw new UserError(
        "limit_exceeded",
        `kv.set("${args.key}"): the value has ${bytes} bytes as JSON; at most ${maxValueBytes} are kept under one key.`,
      );
    }
    const revision = await write(db, { job, key: args.key, value, updated_at: clock() }, args.ifRevision);
    if (revision !== undefined) return { revision };
    const current = await findEntry(db, job, args.key);
    throw new UserError(
      "revision_conflict",
      `kv.set("${args.key}"): ${current === undefined ? "there is no value" : `the value has revision ${Number(current.revision)}`}, not the one that ifRevision asks for (${args.ifRevision ?? "none yet"}). Read it again with kv.read and decide anew.`,
    );
  },
});

/** `kv.delete`: whether there was something to delete. */
export const kvDelete = defineEffect({
  op: "kv.delete",
  args: z.strictObject({ key }),
  safe: () => true,
  own: true,
  async perform({ db, job }, args) {
    const { numDeletedRows } = await db
      .deleteFrom("kv")
      .where("job", "=", job)
      .where("key", "=", args.key)
      .executeTakeFirst();
    return { deleted: numDeletedRows > 0n };
  },
});

/** `kv.list`: keys in order of their bytes, a page at a time; `cursor` is null on the last page. */
export const kvList = defineEffect({
  op: "kv.list",
  args: z.strictObject({
    prefix: z.string().max(maxKey).optional(),
    limit: z.int().min(1).max(maxListed).optional(),
    cursor: key.nullable().optional(),
  }),
  safe: () => true,
  own: true,
  async perform({ db, job }, { prefix = "", limit = 100, cursor = null }) {
    // The order must not depend on the database's locale, since the pages would then depend on it too.
    const inOrder = sql<string>`key collate "C"`;
    const rows = await db
      .selectFrom("kv")
      .select("key")
      .where("job", "=", job)
      .$if(prefix !== "", (query) => query.where(sql<SqlBool>`starts_with(key, ${prefix})`))
      .$if(cursor !== null, (query) => query.where(sql<SqlBool>`${inOrder} > ${cursor}`))
      .orderBy(inOrder)
      .limit(limit + 1)
      .execute();
    const keys = rows.slice(0, limit).map((row) => row.key);
    return { keys, cursor: rows.length > limit ? (keys.at(-1) ?? null) : null };
  },
});

function findEntry(db: Db, job: string, key: string) {
  return db
    .selectFrom("kv")
    .select(["value", "revision"])
    .where("job", "=", job)
    .where("key", "=", key)
    .executeTakeFirst();
}

type Entry = Readonly<{ job: string; key: string; value: string; updated_at: Date }>;

/** The new revision; undefined where the compare-and-set failed. */
async function write(db: Db, entry: Entry, ifRevision: number | null | undefined): Promise<number | undefined> {
  const next = sql<number>`kv.revision + 1`;
  const { value, updated_at } = entry;
  const insert = db
    .insertInto("kv")
    .values({ ...entry, revision: 1 })
    .returning("revision");
  const row =
    ifRevision === undefined
      ? await insert
          .onConflict((c) => c.columns(["job", "key"]).doUpdateSet({ value, updated_at, revision: next }))
          .executeTakeFirst()
      : ifRevision === null
        ? await insert.onConflict((c) => c.columns(["job", "key"]).doNothing()).executeTakeFirst()
        : await db
            .updateTable("kv")
            .set({ value, updated_at, revision: next })
            .where("job", "=", entry.job)
            .where("key", "=", entry.key)
            .where("revision", "=", ifRevision)
            .returning("revision")
            .executeTakeFirst();
  return row === undefined ? undefined : Number(row.revision);
}
