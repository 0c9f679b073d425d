import type { TaskState } from "../store/tables.ts";
import type { TaskFields } from "./task-fields.ts";

/** A key of the same call, or a task that is there already: `T12`, 12. */
export type TaskRef = string | number;

/** What a task is made from: all but the title may be left out. */
export type NewTask = Readonly<
  { title: string } & { [K in Exclude<keyof TaskFields, "title">]?: TaskFields[K] | undefined } & {
    /** Names it for the others of the same call. */
    key?: string | undefined;
    parent?: TaskRef | null | undefined;
    dependsOn?: readonly TaskRef[] | undefined;
    planId?: number | null | undefined;
    node?: string | null | undefined;
    runId?: number | null | undefined;
    /** One task exists per source: where there is one, it comes back as it is. */
    source?: string | null | undefined;
    /** Of a task that is told of after the fact; `open` by default. */
    state?: Exclude<TaskState, "in_progress"> | undefined;
    result?: string | null | undefined;
  }
>;
