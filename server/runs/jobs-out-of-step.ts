import { canonicalJson } from "../canonical-json.ts";
import type { Link } from "../review/chain.ts";
import type { Db } from "../store/open-store.ts";
import { createSignedManifests } from "./workers/signed-manifests.ts";

/**
 * Jobs whose rows in `schedules` are not those of their active approval, by name. Compares all of them by a few queries, so that a start
 * with ten thousand jobs need not verify each: what fires is verified when it starts.
 */
export async function findJobsOutOfStep(db: Db, live: readonly Link[]): Promise<string[]> {
  const jobs = await db.selectFrom("jobs").select(["name", "state"]).orderBy("name").execute();
  const rows = await db.selectFrom("schedules").select(["job", "key", "version", "spec"]).execute();
  const manifests = await createSignedManifests(db)(live);
  const versions = new Map(live.map(({ decision }) => [decision.name, decision.version]));
  const kept = Map.groupBy(rows, ({ job }) => job);
  return jobs.flatMap(({ name, state }) => {
    const now = (kept.get(name) ?? []).map((each) => `${each.key} ${each.version} ${each.spec}`).sort();
    const version = state === "retired" ? undefined : versions.get(name);
    const manifest = manifests.get(name);
    // What cannot be read is looked at by itself, where it is told.
    if (version !== undefined && manifest === undefined) return [name];
    const schedules = version === undefined ? [] : (manifest?.schedules ?? []);
    const wanted = schedules.map((each) => `${each.key} ${version} ${canonicalJson(each)}`);
    return now.join("\n") === wanted.sort().join("\n") ? [] : [name];
  });
}
