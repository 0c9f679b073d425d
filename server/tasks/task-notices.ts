import { type Db, notify } from "../store/open-store.ts";

/** Notifications about tasks. They are hints: each can be lost, so every listener also polls. */
export const tasksChannel = "tasks";

export type TaskNotice =
  /** Tasks were made or changed. */
  { kind: "changed" } | { kind: "ended"; taskId: number };

/** Sends a notice when the transaction of `db` commits. */
export function sendTaskNotice(db: Db, notice: TaskNotice): Promise<void> {
  return notify(db, tasksChannel, notice.kind === "changed" ? "changed" : `ended ${notice.taskId}`);
}

/** The notice in a payload, or undefined where it is none that this release knows. */
export function parseTaskNotice(payload: string): TaskNotice | undefined {
  if (payload === "changed") return { kind: "changed" };
  const digits = /^ended (\d+)$/.exec(payload)?.[1];
  return digits === undefined ? undefined : { kind: "ended", taskId: Number(digits) };
}
