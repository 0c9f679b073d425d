import { sql } from "kysely";
import { sha256 } from "../sha256.ts";
import type { Db } from "./open-store.ts";

/** Keeps content under its own SHA-256 and returns that hash; content that is there already is kept once. */
export async function putBlob(db: Db, content: Uint8Array | string): Promise<string> {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const hash = sha256(bytes);
  await db
    .insertInto("blobs")
    .values({ hash, bytes })
    // Young again, so that retention leaves it to whoever is about to refer to it.
    .onConflict((conflict) => conflict.column("hash").doUpdateSet({ created_at: sql<Date>`now()` }))
    .execute();
  return hash;
}

/** The content of a hash. A blob that is missing or does not have that hash is damage, not a user's mistake: it throws a plain Error. */
export async function requireBlob(db: Db, hash: string): Promise<Uint8Array> {
  const row = await db.selectFrom("blobs").select("bytes").where("hash", "=", hash).executeTakeFirst();
  if (!row) throw new Error(`The store has no blob ${hash}.`);
  if (sha256(row.bytes) !== hash) throw new Error(`The blob ${hash} was changed in the store.`);
  return row.bytes;
}
