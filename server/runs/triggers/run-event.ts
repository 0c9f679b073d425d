import { z } from "zod";
import { UserError } from "../../errors.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";

/** What starts a run besides schedules and requests. The job sees it as `run.event`; all in it but its form is foreign. */
export const runEventSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("after"),
    job: z.string().max(100),
    /** Such as `R152`. */
    run: z.string().max(20),
    state: z.string().max(20),
    /** What it returned; null where it has nothing, or more than is handed on. */
    output: z.json(),
    /** Whether the output was too long to be handed on. */
    outputLeftOut: z.boolean(),
    error: z.strictObject({ reason: z.string(), message: z.string() }).nullable(),
  }),
  z.strictObject({
    kind: z.literal("files"),
    changes: z.array(z.strictObject({ path: z.string(), change: z.enum(["added", "changed", "deleted"]) })),
    /** Further changes, which are not listed. */
    more: z.int().nonnegative(),
  }),
  z.strictObject({
    kind: z.literal("webhook"),
    /** Lower-case names. */
    headers: z.record(z.string(), z.string()),
    contentType: z.string().nullable(),
    body: z.string(),
    /** base64 where the body is no UTF-8. */
    encoding: z.enum(["utf8", "base64"]),
  }),
]);

export type RunEvent = z.infer<typeof runEventSchema>;

/** An event that a rehearsal is given; what it leaves out is filled in. Throws `invalid_argument`. */
export function parseRunEvent(given: unknown): RunEvent {
  const filled = z.looseObject({ kind: z.string() }).safeParse(given);
  const defaults = filled.success && Object.hasOwn(leftOut, filled.data.kind) ? leftOut[filled.data.kind] : {};
  const parsed = runEventSchema.safeParse(filled.success ? { ...defaults, ...filled.data } : given);
  if (parsed.success) return parsed.data;
  throw new UserError("invalid_argument", `The event is none that a trigger makes: ${z.prettifyError(parsed.error)}`, {
    next: 'such as {"kind": "webhook", "body": "{}"}, {"kind": "files", "changes": [{"path": "/in/a.txt", "change": "added"}]} or {"kind": "after", "job": "backup"}',
  });
}

const leftOut: Readonly<Record<string, object>> = {
  after: { run: "R0", state: "succeeded", output: null, outputLeftOut: false, error: null },
  files: { more: 0 },
  webhook: { headers: {}, contentType: null, encoding: "utf8" },
};

/** The event of a run; null where none started it, which the run itself nearly always tells. */
export async function readRunEvent(
  db: Db,
  { id, trigger, redrive_of }: Pick<Row<"runs">, "id" | "trigger" | "redrive_of">,
): Promise<RunEvent | null> {
  const isTriggered = trigger === "after" || trigger === "files" || trigger === "webhook";
  if (!isTriggered && redrive_of === null) return null;
  const row = await db.selectFrom("run_events").select("event").where("run_id", "=", id).executeTakeFirst();
  return row === undefined ? null : runEventSchema.parse(JSON.parse(row.event));
}

/** The JSON of the event of a run, as it is kept. */
export function formatRunEvent(event: RunEvent): string {
  return JSON.stringify(event);
}
