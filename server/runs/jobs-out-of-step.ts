import { canonicalJson } from "../canonical-json.ts";
import type { Db } from "../store/open-store.ts";
import { type ActiveApproval, createSignedManifests } from "./workers/signed-manifests.ts";

/**
 * Jobs whose rows in `schedules` and `after_triggers` are not those of their active approval, by name. Compares all of them by a few queries, so that a start
 * with ten thousand jobs need not verify each: what fires is verified when it starts.
 */
export async function findJobsOutOfStep(db: Db, live: readonly ActiveApproval[]): Promise<string[]> {
  const jobs = await db.selectFrom("jobs").select(["name", "state"]).orderBy("name").execute();
  const rows = await db.selectFrom("schedules").select(["job", "key", "version", "spec"]).execute();
  const edges = await db.selectFrom("after_triggers").select(["job", "source", "ends", "version"]).execute();
  const manifests = await createSignedManifests(db)(live);
  const versions = new Map(live.map(({ decision }) => [decision.name, decision.version]));
  const kept = Map.groupBy(
    [
      ...rows.map(({ job, key, ...row }) => ({ job, text: `at ${key} ${row.version} ${row.spec}` })),
      ...edges.map(({ job, source, ...row }) => ({ job, text: `after ${source} ${row.version} ${row.ends}` })),
    ],
    ({ job }) => job,
  );
  return jobs.flatMap(({ name, state }) => {
    const now = (kept.get(name) ?? []).map(({ text }) => text).sort();
    const version = state === "retired" ? undefined : versions.get(name);
    const manifest = manifests.get(name);
    // What cannot be read is looked at by itself, where it is told.
    if (version !== undefined && (manifest === undefined || manifest === "newer")) return [name];
    const wanted =
      version === undefined || manifest === undefined || manifest === "newer"
        ? []
        : [
            ...manifest.schedules.map((each) => `at ${each.key} ${version} ${canonicalJson(each)}`),
            ...manifest.triggers.after.map(({ job, on }) => `after ${job} ${version} ${on}`),
          ];
    return now.join("\n") === wanted.sort().join("\n") ? [] : [name];
  });
}
