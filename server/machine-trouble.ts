import { type ErrorCode, UserError } from "./errors.ts";

/** PostgreSQL's code for a full disk: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const postgresDiskFull = "53100";

const postgresNoFiles = "53000";
/** It stops, starts, or has no connection left. */
const postgresAway = new Set(["57P01", "57P02", "57P03", "53300", "08000", "08003", "08006"]);
/** What the `pg` client says without a code. */
const connectionLost =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/;

const troubles: ReadonlySet<ErrorCode> = new Set(["disk_full", "too_many_files", "store_unavailable"]);

/** Errors of the machine that a person can mend, as a UserError; undefined for anything else. */
export function asMachineTrouble(error: unknown): UserError | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof UserError) return troubles.has(error.code) ? error : undefined;
  if (isStoreAway(error)) {
    return new UserError("store_unavailable", `The database does not answer: ${error.message}.`, {
      next: "start the database; nothing else has to be started again, and nothing that was accepted is lost",
      cause: error,
    });
  }
  if (!("code" in error)) return undefined;
  const path = "path" in error && typeof error.path === "string" ? ` (${error.path})` : "";
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
    case postgresDiskFull:
      return new UserError("disk_full", `The disk is full${path}. Nothing that was accepted is lost.`, {
        next: "make room and try again",
        cause: error,
      });
    case "EMFILE":
    case "ENFILE":
    case postgresNoFiles:
      return new UserError("too_many_files", `Too many files are open${path}. Nothing that was accepted is lost.`, {
        next: "raise the limit (ulimit -n, or LimitNOFILE of the service), or lower runners.max",
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

/** Whether PostgreSQL could not be reached, or ended the connection. */
function isStoreAway(error: Error): boolean {
  if (connectionLost.test(error.message)) return true;
  if (!("code" in error) || typeof error.code !== "string") return false;
  return postgresAway.has(error.code) || (error.code === "ECONNREFUSED" && "address" in error && "port" in error);
}
