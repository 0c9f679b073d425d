import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { formatAgentId } from "../agents/agent-id.ts";
import { type RestoredBackup, restoreBackup } from "../backup/restore-backup.ts";
import { carryOut, findUnfinishedRestore } from "../backup/restore-plan.ts";
import { lockHome } from "../daemon/lock.ts";
import { writeLauncher } from "../daemon/write-launcher.ts";
import { readSecrets } from "../effects/secret-values.ts";
import { UserError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { personCommand } from "../person-command.ts";
import { formatPlanId } from "../plans/plan-id.ts";
import { formatRunId } from "../runs/run-id.ts";
import { type CliContext, print, say } from "./context.ts";

type Options = { replace?: boolean; storeOnly?: boolean; liveRuns: "ask" | "resume" };

/** `jr restore FILE`: puts a backup in the place of the store and the home's files. */
export function command(context: CliContext): Command {
  return new Command("restore")
    .description("put a backup in place, verified first; without FILE, finish one that was cut off")
    .argument("[file]", "what jr backup wrote")
    .option("--replace", "move aside what is there; nothing is deleted")
    .option("--store-only", "the store alone; keys, settings, jobs and artifacts stay as they are here")
    .addOption(
      new Option("--live-runs <what>", "runs that had not ended: ask about each, or resume where nothing ran since")
        .choices(["ask", "resume"])
        .default("ask"),
    )
    .action((file: string | undefined, options: Options) => restore(context, file, options));
}

async function restore(context: CliContext, given: string | undefined, options: Options): Promise<void> {
  const { home, env } = context;
  if (env.JOBRUNNER_URL)
    throw new UserError("unsupported", "A daemon elsewhere is restored on its own machine.", {
      next: "unset JOBRUNNER_URL",
    });
  using _lock = lockHome(home);
  const file = given === undefined ? undefined : resolve(given);
  const unfinished = findUnfinishedRestore(home);
  if (unfinished !== undefined) {
    if (file !== undefined && file !== unfinished.file) {
      throw new UserError(
        "restore_unfinished",
        `The restore of ${unfinished.file} was cut off before its last steps.`,
        {
          next: `${personCommand(home, "restore")} finishes it`,
        },
      );
    }
    await carryOut(home, unfinished);
    print(context, `Finished the restore of ${unfinished.file} that was cut off.`);
    if (existsSync(unfinished.aside)) print(context, `What was there before is in ${unfinished.aside}.`);
    return print(context, `Next: ${personCommand(home, "start")}`);
  }
  if (file === undefined)
    throw new UserError("invalid_argument", "No restore was cut off.", { next: "name the backup: jr restore FILE" });
  const { replace = false, storeOnly = false, liveRuns } = options;
  const restored = await restoreBackup(file, { home, env, log: silentLog, replace, storeOnly, liveRuns });
  // The commands below are those of this home, which may have had no daemon yet.
  writeLauncher(home, env);
  report(context, restored);
}

function listed(handles: readonly string[]): string {
  const more = handles.length > 10 ? `, and ${handles.length - 10} more` : "";
  return handles.slice(0, 10).join(", ") + more;
}

function report(
  context: CliContext,
  { backup, config, held, secrets, aside, oldStore, lostHead }: RestoredBackup,
): void {
  const { home } = context;
  const { header, summary, chain, trusted } = backup;
  const rowsOf = (table: string) => summary.tables.find(({ name }) => name === table)?.rows ?? 0;
  print(
    context,
    `Restored as of ${header.createdAt}: ${rowsOf("jobs")} jobs, ${rowsOf("runs")} runs, ${rowsOf("decisions")} decisions.`,
  );
  if (aside !== null) print(context, `What was there before is in ${aside}.`);
  if (oldStore?.startsWith("schema ")) print(context, `The old store is the ${oldStore} of the same database.`);
  for (const { id, label, protected: isProtected } of trusted ?? [])
    print(
      context,
      `This machine trusts key ${id}${label === null ? "" : ` "${label}"`}${isProtected ? "" : ", UNPROTECTED"}.`,
    );
  if (chain.keys.size === 0)
    print(context, `It trusts no key, so nothing runs: ${personCommand(home, "setup")}, or --trust KEY.`);
  if (chain.refusals.length > 0)
    print(
      context,
      `${chain.refusals.length} decisions in it do not count here: ${personCommand(home, "keys", "list")}`,
    );
  if (held !== undefined && held.asked.length > 0) {
    const runs = listed(held.asked.map(formatRunId));
    print(context, `Had not ended, and what they did since is not known: ${runs}. Each waits for you:`);
    print(context, `  ${personCommand(home, "answer", formatRunId(held.asked[0] ?? 0), "resume")} (or fail)`);
  }
  if (held !== undefined && held.goOn.length > 0)
    print(context, `Go on by themselves: ${held.goOn.length} runs that reach nothing outside, or may be repeated.`);
  if (held !== undefined && held.plans.length > 0)
    print(
      context,
      `Plans that had not ended are stopped: ${listed(held.plans.map(formatPlanId))}. ${personCommand(home, "plans", "resume", formatPlanId(held.plans[0] ?? 0))} lets one go on.`,
    );
  if (held !== undefined && held.agents.length > 0)
    print(context, `Agents that had not ended are given up: ${listed(held.agents.map(formatAgentId))}.`);
  say(context, "Slots that passed since are made up for as catchUp of each schedule says.");
  const known = new Set(readSecrets(home.env).names());
  const missing = secrets.filter((name) => !known.has(name));
  if (missing.length > 0)
    print(
      context,
      `Secrets are not set here: ${missing.map((name) => personCommand(home, "secrets", "set", name)).join("; ")}`,
    );
  const packages = join(config.jobsFolder, "package.json");
  if (existsSync(packages) && !existsSync(join(config.jobsFolder, "node_modules")))
    print(context, `Packages of jobs are not installed: npm ci --ignore-scripts in ${config.jobsFolder}`);
  if (lostHead !== undefined) {
    print(
      context,
      `This machine has seen decision ${lostHead}; the backup's decisions end at ${chain.head.seq}. What was decided after that, revocations too, is lost, and nothing runs before you accept it: ${personCommand(home, "start")}, then ${personCommand(home, "keys", "accept-chain")}`,
    );
  } else print(context, `Next: ${personCommand(home, "start")}`);
}
