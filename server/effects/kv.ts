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
  kind: "own",
  args: z.strictObject({ key }),
  safe: () => true,
  rehearse: ({ kv }, args) => kv.get(args.key) ?? null,
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
  kind: "own",
  args: z.strictObject({
    key,
    value: z.unknown().refine((given) => given !== undefined, "a value is needed"),
    ifRevision: z.int().positive().nullable().optional(),
  }),
  safe: () => true,
  rehearse({ kv }, args) {
    const value: unknown = JSON.parse(requireShort(args));
    const current = kv.get(args.key)?.revision;
    if (args.ifRevision !== undefined && args.ifRevision !== (current ?? null)) throw conflict(args, current);
    const revision = (current ?? 0) + 1;
    kv.set(args.key, { value, revision });
    return { revision };
  },
  async perform({ db, job, clock }, args) {
    const value = requireShort(args);
    const revision = await write(db, { job, key: args.key, value, updated_at: clock() }, args.ifRevision);
    if (revision !== undefined) return { revision };
    const current = await findEntry(db, job, args.key);
    throw conflict(args, current && Number(current.revision));
  },
});

/** The value as JSON. */
function requireShort({ key, value }: { key: string; value: unknown }): string {
  const json = JSON.stringify(value);
  const bytes = Buffer.byteLength(json);
  if (bytes <= maxValueBytes) return json;
  throw new UserError(
    "limit_exceeded",
    `kv.set("${key}"): the value has ${bytes} bytes as JSON; at most ${maxValueBytes} are kept under one key.`,
  );
}

type Conditional = Readonly<{ key: string; ifRevision?: number | null | undefined }>;

function conflict({ key, ifRevision }: Conditional, current: number | undefined): UserError {
  const found = current === undefined ? "there is no value" : `the value has revision ${current}`;
  return new UserError(
    "revision_conflict",
    `kv.set("${key}"): ${found}, not the one that ifRevision asks for (${ifRevision ?? "none yet"}). Read it again with kv.read and decide anew.`,
  );
}

/** `kv.delete`: whether there was something to delete. */
export const kvDelete = defineEffect({
  op: "kv.delete",
  kind: "own",
  args: z.strictObject({ key }),
  safe: () => true,
  rehearse: ({ kv }, args) => ({ deleted: kv.delete(args.key) }),
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
  kind: "own",
  args: z.strictObject({
    prefix: z.string().max(maxKey).optional(),
    limit: z.int().min(1).max(maxListed).optional(),
    cursor: key.nullable().optional(),
  }),
  safe: () => true,
  rehearse({ kv }, { prefix = "", limit = 100, cursor = null }) {
    const found = [...kv.keys()].filter(
      (each) => each.startsWith(prefix) && (cursor === null || inBytes(each, cursor) > 0),
    );
    return page(found.sort(inBytes), limit);
  },
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
    return page(
      rows.map((row) => row.key),
      limit,
    );
  },
});

function inBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The first of the keys that were found, at least one more of which shows that there is a next page. */
function page(found: readonly string[], limit: number): { keys: string[]; cursor: string | null } {
  const keys = found.slice(0, limit);
  return { keys, cursor: found.length > limit ? (keys.at(-1) ?? null) : null };
}

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
