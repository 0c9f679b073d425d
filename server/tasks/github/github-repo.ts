import type { GithubRepo } from "../../config.ts";
import type { Actor } from "../actor.ts";

/** Who changes tasks that are linked. */
export function syncActor({ repo }: Pick<GithubRepo, "repo">): Actor {
  return { actor: `github ${repo}`, traceId: null };
}

/** What a task is made from. */
export function issueSource(repo: string, number: number): string {
  return `github:${repo}#${number}`;
}
