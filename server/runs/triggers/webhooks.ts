import { randomBytes, timingSafeEqual } from "node:crypto";
import { sql } from "kysely";
import { UserError } from "../../errors.ts";
import { personCommand } from "../../person-command.ts";
import { sha256 } from "../../sha256.ts";
import { inTransaction } from "../../store/in-transaction.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";
import { recordEvent } from "../events.ts";

type Home = Parameters<typeof personCommand>[0];

/** When a job's secret address was made and last used; undefined where it has none. */
export function findWebhook(db: Db, job: string): Promise<Omit<Row<"webhooks">, "token_hash"> | undefined> {
  return db.selectFrom("webhooks").select(["job", "created_at", "used_at"]).where("job", "=", job).executeTakeFirst();
}

/**
 * Makes a job's secret address and gives its token, of which only the hash is kept. One that exists is replaced where `rotate` says
 * so. Throws `invalid_argument` where it does not.
 */
export async function makeWebhook(
  db: Db,
  { job, rotate, actor, home }: Readonly<{ job: string; rotate: boolean; actor: string; home: Home }>,
): Promise<string> {
  const token = randomBytes(32).toString("base64url");
  const fresh = { token_hash: sha256(token), created_at: sql<Date>`now()`, used_at: null };
  await inTransaction(db, async (trx) => {
    const made = await trx
      .insertInto("webhooks")
      .values({ job, ...fresh })
      .onConflict((conflict) => (rotate ? conflict.column("job").doUpdateSet(fresh) : conflict.doNothing()))
      .returning("job")
      .executeTakeFirst();
    if (made === undefined) {
      throw new UserError("invalid_argument", `"${job}" has a secret address already, which was shown once.`, {
        next: personCommand(home, "webhook", job, "--rotate"),
      });
    }
    await recordEvent(trx, { kind: rotate ? "webhook.rotated" : "webhook.made", actor, subject: job });
  });
  return token;
}

/** Takes a job's secret address away; tells whether it had one. */
export async function removeWebhook(
  db: Db,
  { job, actor }: Readonly<{ job: string; actor: string }>,
): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const gone = await trx.deleteFrom("webhooks").where("job", "=", job).returning("job").executeTakeFirst();
    if (gone !== undefined) await recordEvent(trx, { kind: "webhook.removed", actor, subject: job });
    return gone !== undefined;
  });
}

/** Whether that is the token of the job's address. It takes the same time whatever was given. */
export async function isWebhookToken(db: Db, job: string, token: string): Promise<boolean> {
  const row = await db.selectFrom("webhooks").select("token_hash").where("job", "=", job).executeTakeFirst();
  const same = timingSafeEqual(Buffer.from(row?.token_hash ?? sha256("")), Buffer.from(sha256(token)));
  return same && row !== undefined;
}
