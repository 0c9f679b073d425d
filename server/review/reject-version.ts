import { UserError } from "../errors.ts";
import { recordEvent } from "../runs/events.ts";
import type { Db } from "../store/open-store.ts";
import { storableText } from "../store/text.ts";

/** Refuses a pending version (the newest one where none is named). Unsigned, since it only makes things safer. Throws `version_not_found`. */
export async function rejectVersion(
  db: Db,
  options: { job: string; version: number | null; note: string | null },
): Promise<number> {
  const { job, version, note } = options;
  const pending = await db
    .selectFrom("versions")
    .select("number")
    .where("job", "=", job)
    .where("state", "=", "pending")
    .orderBy("number", "desc")
    .execute();
  const number = version === null ? pending[0]?.number : pending.find((row) => row.number === version)?.number;
  if (number === undefined) {
    const what = version === null ? "no version" : `no v${version}`;
    throw new UserError("version_not_found", `Job "${job}" has ${what} that waits for a decision.`, {
      next: `jr review ${job}`,
    });
  }
  await db
    .updateTable("versions")
    .set({ state: "rejected", rejected_note: note === null ? null : storableText(note) })
    .where("job", "=", job)
    .where("number", "=", number)
    .where("state", "=", "pending")
    .execute();
  await recordEvent(db, {
    kind: "version.rejected",
    actor: "person",
    subject: job,
    detail: { version: number, note },
    traceId: null,
  });
  return number;
}
