import type { Triggers } from "../../jobs/manifest.ts";
import type { Db } from "../../store/open-store.ts";

/** The jobs of a circle that these `after` triggers would close with those of approved jobs, from `job` back to itself. */
export async function findCircle(db: Db, job: string, { after }: Triggers): Promise<string[] | undefined> {
  if (after.length === 0) return undefined;
  const rows = await db.selectFrom("after_triggers").select(["job", "source"]).where("job", "!=", job).execute();
  const ways = after.map((each) => [job, each.job]);
  const seen = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    const last = way.at(-1) ?? job;
    if (last === job) return way;
    if (seen.has(last)) continue;
    seen.add(last);
    for (const { source } of rows.filter((row) => row.job === last)) ways.push([...way, source]);
  }
  return undefined;
}
