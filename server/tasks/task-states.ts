import type { TaskState } from "../store/tables.ts";

/** States in which there is something left to do. */
export const liveStates = ["open", "in_progress"] as const satisfies readonly TaskState[];

/** States in which a task has ended. Only `done` releases what needs it. */
export const endedStates = ["done", "failed", "cancelled", "skipped"] as const satisfies readonly TaskState[];
export type EndedState = (typeof endedStates)[number];

/** What a list may be asked for: a group of states, or one of them. */
export const stateChoices = ["live", "ended", "all", ...liveStates, ...endedStates] as const;

/** The states of a choice; undefined stands for all. Who chooses none wants what is left to do, or, with words to search for, what is remembered. */
export function chosenStates(
  choice: (typeof stateChoices)[number] | undefined,
  { ready, search }: Readonly<{ ready?: boolean | undefined; search?: string | undefined }>,
): TaskState | readonly TaskState[] | undefined {
  const chosen = choice ?? (search === undefined || ready ? "live" : "all");
  return chosen === "live" ? liveStates : chosen === "ended" ? endedStates : chosen === "all" ? undefined : chosen;
}

/** Whether a task of that state has ended. */
export function hasEnded(state: TaskState): state is EndedState {
  return endedStates.some((ended) => ended === state);
}
