import { type Manifest, manifestSchema } from "../../jobs/manifest.ts";
import type { Db } from "../../store/open-store.ts";
import type { Row } from "../../store/tables.ts";

/** The retry policy of the version that the run's present attempt runs; null where none was chosen yet. */
export async function findRetryPolicy(
  db: Db,
  run: Pick<Row<"runs">, "id" | "attempt">,
): Promise<Manifest["retry"] | null> {
  const row = await db
    .selectFrom("attempts")
    .innerJoin("runs", "runs.id", "attempts.run_id")
    .innerJoin("versions", (join) =>
      join.onRef("versions.job", "=", "runs.job").onRef("versions.number", "=", "attempts.version"),
    )
    .select("versions.manifest")
    .where("attempts.run_id", "=", run.id)
    .where("attempts.attempt", "=", run.attempt)
    .executeTakeFirst();
  if (row === undefined) return null;
  // Unsigned text as far as this knows: it decides how often a version is tried, and each try verifies the signature.
  return retryRecord.parse(JSON.parse(row.manifest)).retry;
}

const retryRecord = manifestSchema.pick({ retry: true }).loose();
