import type { TaskState } from "../store/tables.ts";

/** States in which there is something left to do. */
export const liveStates = ["open", "in_progress"] as const satisfies readonly TaskState[];

/** States in which a task has ended. Only `done` releases what needs it. */
export const endedStates = ["done", "failed", "cancelled", "skipped"] as const satisfies readonly TaskState[];
export type EndedState = (typeof endedStates)[number];

/** Whether a task of that state has ended. */
export function hasEnded(state: TaskState): state is EndedState {
  return endedStates.some((ended) => ended === state);
}
