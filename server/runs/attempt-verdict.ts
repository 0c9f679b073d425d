import type { ErrorCode } from "../errors.ts";

/** Why this side, and not the job, ends an attempt or lets go of it. */
export type AttemptVerdict = Readonly<
  | { state: "suspended"; wakeAt: Date | null }
  | { state: "denied"; code: ErrorCode; message: string }
  | { state: "limit"; limit: string; message: string }
  | { state: "nondeterminism"; message: string }
>;
