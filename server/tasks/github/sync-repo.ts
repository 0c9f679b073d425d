import { setTimeout as delay } from "node:timers/promises";
import { sql } from "kysely";
import type { GithubRepo } from "../../config.ts";
import { messageOf } from "../../errors.ts";
import type { Db } from "../../store/open-store.ts";
import { storableText } from "../../store/text.ts";
import { createGithubClient } from "./github-client.ts";
import { GithubError } from "./github-error.ts";
import { pullIssues } from "./pull-issues.ts";
import { pushTasks } from "./push-tasks.ts";

export type SyncOptions = Readonly<{
  /** The token's value; undefined where none is set. */
  token: () => string | undefined;
  signal: AbortSignal;
  /** Between two writes. */
  writePauseMs?: number;
  settleMs?: number;
  /** Also before its time has come; a limit of GitHub's is kept all the same. */
  now?: boolean;
}>;

/** Nobody else comes near the repository for so long after each step; one step takes less. */
const holdMs = 120_000;
const firstPauseMs = 30_000;
const longestPauseMs = 3_600_000;

/**
 * Brings tasks and the issues of a repository in line, if it is time and nobody else is at it; whatever goes wrong stands in the database,
 * with the time of the next try. It may be cut off anywhere: what it has not done it does the next time. Tells whether it was its turn.
 */
export async function syncRepo(db: Db, settings: GithubRepo, options: SyncOptions): Promise<boolean> {
  const { repo, url, everyMs } = settings;
  const { token, signal, writePauseMs = 1_000, settleMs = 60_000, now = false } = options;
  if (!(await takeTurn(db, repo, now))) return false;
  const value = token();
  let problem: string | null = null;
  let failure: unknown;
  try {
    if (value === undefined)
      throw new GithubError("refused", `no value is set for ${settings.token}: jr secrets set ${settings.token}`);
    const client = createGithubClient({ url, repo, token: value, signal });
    const hold = () => holdTurn(db, repo);
    await pullIssues(db, settings, { client, beat: hold });
    const beat = async () => {
      await delay(writePauseMs, undefined, { signal });
      await hold();
    };
    const problems = await pushTasks(db, settings, { client, beat, settleMs });
    problem =
      problems.length === 0
        ? null
        : `${problems.slice(0, 3).join("; ")}${problems.length > 3 ? `; ${problems.length - 3} more` : ""}`;
  } catch (thrown) {
    if (signal.aborted) {
      await endTurn(db, repo, { waitMs: 0, problem: undefined, failed: false });
      return true;
    }
    failure = thrown;
  }
  if (failure === undefined) await endTurn(db, repo, { waitMs: everyMs, problem, failed: false });
  else {
    const waitMs = failure instanceof GithubError ? failure.waitMs : null;
    await endTurn(db, repo, { waitMs, problem: messageOf(failure), failed: true });
    if (!(failure instanceof GithubError)) throw failure;
  }
  return true;
}

async function takeTurn(db: Db, repo: string, now: boolean): Promise<boolean> {
  await db
    .insertInto("task_repos")
    .values({
      repo,
      since: null,
      etag: null,
      etag_for: null,
      synced_at: null,
      problem: null,
      wait_until: null,
      held_until: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const taken = await db
    .updateTable("task_repos")
    .set({ held_until: later(holdMs) })
    .where("repo", "=", repo)
    .where(sql<boolean>`(held_until is null or held_until <= now())`)
    .where(sql<boolean>`(wait_until is null or wait_until <= now() or (${now} and failures = 0))`)
    .returning("repo")
    .executeTakeFirst();
  return taken !== undefined;
}

async function holdTurn(db: Db, repo: string): Promise<void> {
  await db
    .updateTable("task_repos")
    .set({ held_until: later(holdMs) })
    .where("repo", "=", repo)
    .execute();
}

async function endTurn(
  db: Db,
  repo: string,
  { waitMs, problem, failed }: Readonly<{ waitMs: number | null; problem: string | null | undefined; failed: boolean }>,
): Promise<void> {
  const { failures } = await db
    .selectFrom("task_repos")
    .select("failures")
    .where("repo", "=", repo)
    .executeTakeFirstOrThrow();
  const backoffMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures, 10));
  await db
    .updateTable("task_repos")
    .set({
      held_until: null,
      wait_until: later(waitMs ?? backoffMs),
      ...(problem === undefined ? {} : { problem: problem === null ? null : storableText(problem.slice(0, 500)) }),
      failures: failed ? failures + 1 : 0,
      ...(failed || problem === undefined ? {} : { synced_at: sql<Date>`now()` }),
    })
    .where("repo", "=", repo)
    .execute();
}

function later(ms: number) {
  return sql<Date>`now() + ${ms}::double precision * interval '1 millisecond'`;
}
