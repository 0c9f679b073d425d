import type { Db } from "../store/open-store.ts";
import { storableText } from "../store/text.ts";

export type NewEvent = Readonly<{
  /** Dotted, such as `job.paused`. */
  kind: string;
  /** `person`, `schedule`, `daemon`, or the host's name and version. */
  actor: string;
  /** A handle: a job's name, `R152`, `v3` after its job. */
  subject: string;
  /** Plain JSON. */
  detail?: unknown;
  traceId?: string | null | undefined;
}>;

/** Adds one line to the audit trail, in the transaction of `db`, so that it stands exactly if what it tells of does. */
export async function recordEvent(db: Db, { kind, actor, subject, detail, traceId }: NewEvent): Promise<void> {
  await db
    .insertInto("events")
    .values({
      kind,
      actor: storableText(actor),
      subject: storableText(subject),
      detail: storableText(JSON.stringify(detail ?? {})),
      trace_id: traceId ?? null,
    })
    .execute();
}
