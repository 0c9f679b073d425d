import { setTimeout as delay } from "node:timers/promises";
import type { Config } from "../config.ts";
import type { SecretValues } from "../effects/secret-values.ts";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import { syncRepo } from "../tasks/github/sync-repo.ts";

/** Keeps tasks and issues in line. `syncNow` goes through all repositories once, where GitHub lets it. */
export type GithubSync = AsyncDisposable & Readonly<{ syncNow(): Promise<void> }>;

/** How often it looks whose time has come; each repository has its own pause. */
const lookMs = 10_000;

/** Syncs the repositories of config.yaml until it is disposed. Any number of daemons may do so on one database. */
export function startGithubSync({
  store,
  repos,
  secrets,
  log,
}: Readonly<{ store: Store; repos: Config["tasks"]["github"]; secrets: () => SecretValues; log: Log }>): GithubSync {
  const stopped = new AbortController();
  const { signal } = stopped;
  const problems = new Map<string, string>();

  async function pass(now: boolean): Promise<void> {
    for (const settings of repos) {
      if (signal.aborted) return;
      try {
        await syncRepo(store.db, settings, { token: () => secrets().get(settings.token), signal, now });
        problems.delete(settings.repo);
      } catch (thrown) {
        const problem = messageOf(thrown);
        // Told once each; where it stands is in the store.
        if (problems.get(settings.repo) !== problem)
          log.error({ err: thrown, repo: settings.repo }, "issues are not synced");
        problems.set(settings.repo, problem);
      }
    }
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      await pass(false);
      await delay(lookMs, undefined, { signal }).catch(() => undefined);
    }
  }

  const loops = repos.length === 0 ? Promise.resolve() : loop();
  return {
    syncNow: () => pass(true),
    async [Symbol.asyncDispose]() {
      stopped.abort(new Error("the sync of issues stops"));
      await loops;
    },
  };
}
