import { existsSync, readFileSync } from "node:fs";
import { UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { replaceFile } from "../private-file.ts";
import type { Store } from "../store/open-store.ts";

const names = { pglite: "the embedded database", postgres: "PostgreSQL" } as const;

/**
 * Stops where this home's jobs are in the other kind of database, as when DATABASE_URL was set in one shell only: an empty
 * store would be opened, and nothing would run. Throws `invalid_config`.
 */
export function requireSameStore(home: Home, databaseUrl: string | null): void {
  const kind = databaseUrl === null ? "pglite" : "postgres";
  const before = existsSync(home.storeKind) ? readFileSync(home.storeKind, "utf8").trim() : kind;
  if (before === kind || (before !== "pglite" && before !== "postgres")) return;
  throw new UserError("invalid_config", `The jobs of this home are in ${names[before]}, not in ${names[kind]}.`, {
    next:
      before === "postgres"
        ? `set store.url in ${home.config} (or DATABASE_URL); to begin anew in ${names[kind]}, delete ${home.storeKind}`
        : `take DATABASE_URL away; to begin anew in ${names[kind]}, delete ${home.storeKind}`,
  });
}

/** Remembers what `requireSameStore` compares with. */
export function rememberStore(home: Home, kind: Store["kind"]): void {
  replaceFile(home.storeKind, `${kind}\n`);
}
