import { type Db, notify } from "../store/open-store.ts";

/** Notifications of the `runs` channel. They are hints: each can be lost, so every listener also polls. */
export type RunNotice =
  | { kind: "queued" }
  /** The run has come to rest: it has ended, is suspended, or needs a decision. */
  | { kind: "ended"; runId: number }
  | { kind: "answered"; runId: number }
  | { kind: "cancel"; runId: number };

export const runsChannel = "runs";

/** Sends a notice when the transaction of `db` commits. */
export function sendNotice(db: Db, notice: RunNotice): Promise<void> {
  return notify(db, runsChannel, formatNotice(notice));
}

/** The payload of a notice. */
export function formatNotice(notice: RunNotice): string {
  return notice.kind === "queued" ? "queued" : `${notice.kind} ${notice.runId}`;
}

/** The notice in a payload, or undefined where it is none that this release knows. */
export function parseNotice(payload: string): RunNotice | undefined {
  if (payload === "queued") return { kind: "queued" };
  const [, kind, digits] = /^(ended|cancel|answered) (\d+)$/.exec(payload) ?? [];
  if (kind === "ended" || kind === "cancel" || kind === "answered") return { kind, runId: Number(digits) };
  return undefined;
}
