import type { Row } from "../../store/tables.ts";

/** A process that executes runs, as it tells the others of itself. */
export type WorkerSelf = Readonly<{
  /** Unique per process. */
  name: string;
  host: string;
  /** Path of its home folder. */
  home: string;
  role: Row<"workers">["role"];
  labels: readonly string[];
  max: number;
  /** Guest runtimes that it has, the newest first. */
  guestRuntimes: readonly string[];
}>;

/** Where workers tell each other that one has come or gone. */
export const workersChannel = "workers";
