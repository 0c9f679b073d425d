import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { addNote } from "./add-note.ts";
import { releaseTask, renewClaim } from "./change-claim.ts";
import { claimTask } from "./claim-task.ts";
import { finishTask } from "./finish-task.ts";
import type { Claimant } from "./refuse-others.ts";
import { reopenTask } from "./reopen-task.ts";
import { type UpdateRequest, updateTask } from "./update-task.ts";

/** What is done to one task, in the words of every door. */
export const taskActions = ["edit", "claim", "renew", "release", "note", "done", "failed", "cancel", "reopen"] as const;
export type TaskAction = (typeof taskActions)[number];

export type ActionRequest = Claimant &
  Omit<UpdateRequest, "id"> &
  Readonly<{
    id: string | number;
    action: TaskAction;
    /** The note, the result, or why. */
    text?: string | undefined;
    leaseSeconds?: number | undefined;
  }>;

/** Does it, and gives the task back as it is then. Throws whatever that action throws. */
export async function actOnTask(db: Db, request: ActionRequest): Promise<Row<"tasks">> {
  const { id, action, text, leaseSeconds, by, door, claim } = request;
  const who = { id, by, door, claim };
  switch (action) {
    case "edit":
      return updateTask(db, request);
    case "claim": {
      const claimed = await claimTask(db, { id, by, door, leaseSeconds });
      if (claimed === undefined) throw new Error(`task ${id} was neither claimed nor refused`);
      return claimed;
    }
    case "renew":
      return renewClaim(db, { ...who, leaseSeconds });
    case "release":
      return releaseTask(db, who);
    case "note":
      return addNote(db, { id, text: text ?? "", by });
    case "done":
    case "failed":
      return finishTask(db, { ...who, state: action, result: text ?? null });
    case "cancel":
      return finishTask(db, { ...who, state: "cancelled", result: text ?? null });
    case "reopen":
      return reopenTask(db, { ...who, reason: text });
    default:
      return action satisfies never;
  }
}
