import type { Log } from "../log.ts";
import { raiseAlert } from "../runs/alerts.ts";
import { recordEvent } from "../runs/events.ts";
import type { Db } from "../store/open-store.ts";
import type { Refusal } from "./chain.ts";

/** The alert of what does not verify; the next decision about the same ends it. Of a broken chain there is one, and nothing runs. */
export function refusalAlertKey(kind: string, name: string): string {
  return kind === "chain" ? "approvals:chain" : `approvals:${kind}:${name.slice(0, 120)}`;
}

/** Puts on record what did not verify: one event with the details, one alert for the person. */
export async function reportRefusal(db: Db, log: Log, refusal: Refusal): Promise<void> {
  const { seq, code, reason, kind, name, decision } = refusal;
  const subject = kind === "job" ? name : `${kind}:${name}`;
  log.warn({ seq, code, subject, decision, reason }, "approval refused");
  await recordEvent(db, {
    kind: "approval.refused",
    actor: "daemon",
    subject,
    detail: { seq, code, decision, reason },
    traceId: null,
  });
  const message =
    kind === "chain"
      ? reason
      : `Decision ${seq} (${decision} ${name.slice(0, 80)}) is refused: ${reason}. Did somebody change the database?`;
  await raiseAlert(db, { key: refusalAlertKey(kind, name), message });
}
