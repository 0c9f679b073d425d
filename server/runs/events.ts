import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
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

export type EventFilter = Readonly<{
  /** A kind or the words before a dot: `agent` stands for `agent.refused`, too. */
  kind?: string | undefined;
  subject?: string | undefined;
  /** How its name begins: `agent A7` for `agent A7 (clerk)`. */
  actor?: string | undefined;
  /** Only what is older than the event of that number. */
  before?: number | undefined;
  limit: number;
}>;

/** A page of the audit trail, latest first. */
export function listEvents(db: Db, { kind, subject, actor, before, limit }: EventFilter): Promise<Row<"events">[]> {
  return db
    .selectFrom("events")
    .selectAll()
    .$if(kind !== undefined, (query) => query.where(sql<boolean>`starts_with(kind || '.', ${`${kind}.`})`))
    .$if(subject !== undefined, (query) => query.where("subject", "=", subject ?? ""))
    .$if(actor !== undefined, (query) => query.where(sql<boolean>`starts_with(actor, ${actor})`))
    .$if(before !== undefined, (query) => query.where("id", "<", before ?? 0))
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
}
