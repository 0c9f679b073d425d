import { UserError } from "./errors.ts";

/** PostgreSQL's code for a full disk: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const postgresDiskFull = "53100";

/** Errors of the machine that a person can mend, as a UserError; undefined for anything else. */
export function asMachineTrouble(error: unknown): UserError | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  const path = "path" in error && typeof error.path === "string" ? ` (${error.path})` : "";
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
    case postgresDiskFull:
      return new UserError("disk_full", `The disk is full${path}. Nothing that was accepted is lost.`, {
        next: "make room and try again",
        cause: error,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
      return new UserError("unsupported", `This user may not read or write there: ${error.message}.`, {
        next: "give the folder to this user, or set JOBRUNNER_HOME to one that is yours",
        cause: error,
      });
    default:
      return undefined;
  }
}
