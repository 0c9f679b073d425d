import type { Command } from "commander";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { formatTime } from "../format-time.ts";
import { visibleLine } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText, ownTimezone, tableText } from "./show-list.ts";

type Options = { sync?: boolean; remove?: boolean; json?: boolean };

const time = z.coerce.date().nullable();
const linksAnswer = z.object({
  repos: z.array(
    z.object({
      repo: z.string(),
      direction: z.string(),
      labels: z.array(z.string()),
      linked: z.int(),
      waiting: z.int(),
      synced_at: time,
      problem: z.string().nullable(),
      wait_until: time,
    }),
  ),
});

/** `jr task link`: tasks that are GitHub issues, too. */
export function addLinkCommand(task: Command, context: CliContext): void {
  task
    .command("link [task] [issue]")
    .description(
      "link a task with a GitHub issue (owner/repo makes one, owner/repo#12 takes that); alone: how the repositories stand",
    )
    .option("--sync", "ask GitHub now")
    .option("--remove", "take the link of the task away")
    .option("--json", "print JSON")
    .action((handle: string | undefined, issue: string | undefined, options: Options) =>
      link(context, handle, issue, options),
    );
}

async function link(
  context: CliContext,
  handle: string | undefined,
  issue: string | undefined,
  { sync, remove, json }: Options,
): Promise<void> {
  const client = await connectDaemon(context);
  if (handle === undefined) {
    const { repos } = sync
      ? await client.post("/api/task-links/sync", {}, linksAnswer)
      : await client.get("/api/task-links", linksAnswer);
    return json ? print(context, jsonText(repos)) : showRepos(context, repos);
  }
  const path = `/api/tasks/${encodeURIComponent(handle)}`;
  if (remove) {
    await client.post(`${path}/unlink`, {}, z.object({}));
    return print(context, `${handle} is no issue any more; both stay as they are.`);
  }
  const [, repo, digits] = /^([\w.-]+\/[\w.-]+)(?:#(\d{1,9}))?$/.exec(issue ?? "") ?? [];
  if (repo === undefined)
    throw new UserError("invalid_argument", "Name the repository (owner/repo) or the issue (owner/repo#12).");
  await client.post(`${path}/link`, { repo, number: digits === undefined ? null : Number(digits) }, z.object({}));
  print(context, `${handle} is linked with ${issue}; the next sync does the rest.`);
}

function showRepos(context: CliContext, repos: z.infer<typeof linksAnswer>["repos"]): void {
  if (repos.length === 0) {
    say(context, "No repository is linked: tasks.github in config.yaml names them.");
    return;
  }
  const rows = repos.map(({ repo, direction, linked, waiting, synced_at, problem, wait_until }) => [
    repo,
    direction,
    `${linked}${waiting > 0 ? ` (${waiting} to be made)` : ""}`,
    synced_at === null ? "never" : formatTime(synced_at, ownTimezone()),
    problem === null
      ? ""
      : `${visibleLine(problem)}${wait_until === null ? "" : `; again at ${formatTime(wait_until, ownTimezone())}`}`,
  ]);
  print(context, tableText(context, ["REPOSITORY", "DIRECTION", "ISSUES", "SYNCED", "PROBLEM"], rows));
}
