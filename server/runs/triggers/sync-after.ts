import type { Manifest } from "../../jobs/manifest.ts";
import { inTransaction } from "../../store/in-transaction.ts";
import type { Db } from "../../store/open-store.ts";
import { concurrencyOf } from "../concurrency-of.ts";

/** Makes the job's rows in `after_triggers` those of the version that is active; null where none is. */
export async function syncAfterTriggers(
  db: Db,
  job: string,
  active: Readonly<{ version: number; manifest: Manifest }> | null,
): Promise<void> {
  await inTransaction(db, async (trx) => {
    const wanted = active?.manifest.triggers.after ?? [];
    const gone = trx.deleteFrom("after_triggers").where("job", "=", job);
    const sources = wanted.map((each) => each.job);
    await (sources.length === 0 ? gone : gone.where("source", "not in", sources)).execute();
    if (active === null) return;
    const { version, manifest } = active;
    for (const { job: source, on } of wanted) {
      const row = { ends: on, version, priority: manifest.priority, concurrency: concurrencyOf(manifest) };
      await trx
        .insertInto("after_triggers")
        .values({ job, source, ...row })
        .onConflict((conflict) => conflict.columns(["job", "source"]).doUpdateSet(row))
        .execute();
    }
  });
}
