import { UserError } from "../errors.ts";
import { version } from "../version.ts";

/** What a program is told that is older than the database. */
export function storeIsNewer(migration: string): UserError {
  return new UserError(
    "store_newer",
    `The database was brought up to date by a newer JobRunner (${migration}); this one is ${version}.`,
    { next: "install the release that the other machines have, or restore a backup of this one's time" },
  );
}
