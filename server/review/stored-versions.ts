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

const columns = [
  "number",
  "state",
  "source_hash",
  "bundle_hash",
  "manifest_hash",
  "manifest",
  "snapshot",
  "compiler",
  "runtime",
] as const;

/** The versions of a job, role, skill, MCP server or command. */
export function storedVersions(db: Db, { kind, name }: Subject): StoredVersions {
  return kind === "job" ? ofJob(db, name) : ofDefinition(db, kind, name);
}

function ofJob(db: Db, job: string): StoredVersions {
  const update = () => db.updateTable("versions").where("job", "=", job);
  const select = () => db.selectFrom("versions").where("job", "=", job);
  return {
    async requireKnown() {
      const row = await db.selectFrom("jobs").select("name").where("name", "=", job).executeTakeFirst();
      if (row === undefined) throw new UserError("job_not_found", `No job "${job}".`, { next: "job_list" });
    },
    find: (number) => select().select(columns).where("number", "=", number).executeTakeFirst(),
    async findPending({ above = 0, number }) {
      let query = select().select("number").where("state", "=", "pending").where("number", ">", above);
      if (number !== undefined) query = query.where("number", "=", number);
      return (await query.orderBy("number", "desc").executeTakeFirst())?.number;
    },
    async approve(number) {
      await update().set({ state: "approved" }).where("number", "=", number).execute();
    },
    async reject(number, note) {
      const rejected = update().set({ state: "rejected", rejected_note: note });
      await rejected.where("number", "=", number).where("state", "=", "pending").execute();
    },
    async revoke(number) {
      const revoked = update().set({ state: "revoked" }).where("state", "=", "approved");
      await (number === null ? revoked : revoked.where("number", "=", number)).execute();
    },
  };
}

function ofDefinition(db: Db, kind: DefinitionKind, name: string): StoredVersions {
  const update = () => db.updateTable("definitions").where("kind", "=", kind).where("name", "=", name);
  const select = () => db.selectFrom("definitions").where("kind", "=", kind).where("name", "=", name);
  return {
    async requireKnown() {
      if ((await select().select("number").limit(1).executeTakeFirst()) !== undefined) return;
      throw new UserError("definition_not_found", `There is no ${subjectNoun({ kind, name })}.`, { next: "jr status" });
    },
    find: (number) => select().select(columns).where("number", "=", number).executeTakeFirst(),
    async findPending({ above = 0, number }) {
      let query = select().select("number").where("state", "=", "pending").where("number", ">", above);
      if (number !== undefined) query = query.where("number", "=", number);
      return (await query.orderBy("number", "desc").executeTakeFirst())?.number;
    },
    async approve(number) {
      await update().set({ state: "approved" }).where("number", "=", number).execute();
    },
    async reject(number, note) {
      const rejected = update().set({ state: "rejected", rejected_note: note });
      await rejected.where("number", "=", number).where("state", "=", "pending").execute();
    },
    async revoke(number) {
      const revoked = update().set({ state: "revoked" }).where("state", "=", "approved");
      await (number === null ? revoked : revoked.where("number", "=", number)).execute();
    },
  };
}
