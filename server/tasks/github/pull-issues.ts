import type { GithubRepo } from "../../config.ts";
import type { Db } from "../../store/open-store.ts";
import { applyIssue } from "./apply-issue.ts";
import type { GithubClient } from "./github-client.ts";

/** Read again, since more may have happened within the second that was read last. */
const overlapMs = 1_000;

/**
 * Takes over what changed in a repository since it was read last; the first time, every open issue. How far it came is remembered page by
 * page. Pages go on by time rather than by number, since an issue that changes meanwhile would push another out of a page unseen.
 */
export async function pullIssues(
  db: Db,
  settings: GithubRepo,
  { client, beat }: Readonly<{ client: GithubClient; beat: () => Promise<void> }>,
): Promise<void> {
  const { repo } = settings;
  const row = await db.selectFrom("task_repos").selectAll().where("repo", "=", repo).executeTakeFirstOrThrow();
  const first = row.since === null;
  let since = row.since;
  let begun: Date | undefined;
  for (let page = 1; ; ) {
    const asked = since?.toISOString() ?? null;
    const etag = page === 1 && asked !== null && asked === row.etag_for ? row.etag : null;
    const found = await client.list({ state: first ? "open" : "all", since, page, etag });
    if (found === undefined) return;
    begun ??= found.at;
    for (const issue of found.issues) await applyIssue(db, settings, issue);
    await beat();
    const last = found.issues.at(-1)?.updated_at;
    const next = last === undefined ? since : new Date(last.getTime() - overlapMs);
    const moves = next !== null && (since === null || next > since);
    const done = !found.more;
    const seen = !done || !first ? (moves ? next : since) : begun;
    // The first time counts once it is whole: it reads open issues alone.
    if (!first || done) {
      const same = page === 1 && seen?.toISOString() === asked;
      const tag = same ? { etag: found.etag, etag_for: asked } : { etag: null, etag_for: null };
      await db
        .updateTable("task_repos")
        .set({ since: seen, ...tag })
        .where("repo", "=", repo)
        .execute();
    }
    if (done) return;
    page = moves ? 1 : page + 1;
    since = moves ? next : since;
  }
}
