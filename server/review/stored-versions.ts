import { sql } from "kysely";
import { UserError } from "../errors.ts";
import type { Db } from "../store/open-store.ts";
import type { DefinitionKind, VersionState } from "../store/tables.ts";
import { type Subject, subjectNoun } from "./subject.ts";
import type { StoredHashes } from "./verify-version.ts";

/** The stored versions of one subject, whichever table its kind has. */
export type StoredVersions = Readonly<{
  /** Throws where there is nothing of that name. */
  requireKnown(): Promise<void>;
  find(number: number): Promise<(StoredHashes & Readonly<{ state: VersionState }>) | undefined>;
  /** The newest version that waits for the person, among those above a number where one is given. */
  findPending(options: { above?: number; number?: number }): Promise<number | undefined>;
  approve(number: number): Promise<void>;
  reject(number: number, note: string | null): Promise<void>;
  /** Of one version, or of all where none is named. */
  revoke(number: number | null): Promise<void>;
}>;

type Found = StoredHashes & Readonly<{ state: VersionState }>;

/** The versions of a job, role, skill, MCP server or command. */
export function storedVersions(db: Db, { kind, name }: Subject): StoredVersions {
  const table = sql.table(kind === "job" ? "versions" : "definitions");
  const own = kind === "job" ? sql`job = ${name}` : sql`kind = ${kind} and name = ${name}`;
  return {
    requireKnown: () => (kind === "job" ? requireJob(db, name) : requireDefinition(db, kind, name)),
    async find(number) {
      const { rows } = await sql<Found>`
        select number, state, source_hash, bundle_hash, manifest_hash, manifest, snapshot, compiler, runtime
        from ${table} where ${own} and number = ${number}`.execute(db);
      return rows[0];
    },
    async findPending({ above = 0, number }) {
      const that = number === undefined ? sql`true` : sql`number = ${number}`;
      const { rows } = await sql<{ number: number }>`
        select number from ${table} where ${own} and state = 'pending' and number > ${above} and ${that}
        order by number desc limit 1`.execute(db);
      return rows[0]?.number;
    },
    async approve(number) {
      await sql`update ${table} set state = 'approved' where ${own} and number = ${number}`.execute(db);
    },
    async reject(number, note) {
      await sql`update ${table} set state = 'rejected', rejected_note = ${note}
        where ${own} and number = ${number} and state = 'pending'`.execute(db);
    },
    async revoke(number) {
      const those = number === null ? sql`true` : sql`number = ${number}`;
      await sql`update ${table} set state = 'revoked' where ${own} and state = 'approved' and ${those}`.execute(db);
    },
  };
}

async function requireJob(db: Db, name: string): Promise<void> {
  const row = await db.selectFrom("jobs").select("name").where("name", "=", name).executeTakeFirst();
  if (row === undefined) throw new UserError("job_not_found", `No job "${name}".`, { next: "job_list" });
}

async function requireDefinition(db: Db, kind: DefinitionKind, name: string): Promise<void> {
  const own = db.selectFrom("definitions").select("number").where("kind", "=", kind).where("name", "=", name);
  if ((await own.limit(1).executeTakeFirst()) !== undefined) return;
  throw new UserError("definition_not_found", `There is no ${subjectNoun({ kind, name })}.`, { next: "jr status" });
}
