import { UserError } from "../errors.ts";
import { recordEvent } from "../runs/events.ts";
import type { Db } from "../store/open-store.ts";
import { storableText } from "../store/text.ts";
import { storedVersions } from "./stored-versions.ts";
import { type Subject, subjectTitle, subjectWord } from "./subject.ts";

/** Refuses a pending version (the newest one where none is named). Unsigned, since it only makes things safer. Throws `version_not_found`. */
export async function rejectVersion(
  db: Db,
  subject: Subject,
  { version, note }: { version: number | null; note: string | null },
): Promise<number> {
  const versions = storedVersions(db, subject);
  const number = await versions.findPending(version === null ? {} : { number: version });
  if (number === undefined) {
    const what = version === null ? "no version" : `no v${version}`;
    throw new UserError("version_not_found", `${subjectTitle(subject)} has ${what} that waits for a decision.`, {
      next: `jr review ${subjectWord(subject)}`,
    });
  }
  await versions.reject(number, note === null ? null : storableText(note));
  await recordEvent(db, {
    kind: "version.rejected",
    actor: "person",
    subject: subjectWord(subject),
    detail: { version: number, note },
    traceId: null,
  });
  return number;
}
