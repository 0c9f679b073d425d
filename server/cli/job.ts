import { Command } from "commander";
import { z } from "zod";
import { formatTime } from "../format-time.ts";
import { limitsText } from "../jobs/limits-text.ts";
import { hostText } from "../jobs/net-host.ts";
import { jitterInWords, priorityInWords, triggersInWords } from "../jobs/trigger-words.ts";
import { personCommand } from "../person-command.ts";
import { visibleLine, visibleText } from "../review/visible-text.ts";
import { formatRunId } from "../runs/run-id.ts";
import { skippedLine } from "../runs/skipped-text.ts";
import { connectDaemon, type DaemonClient } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import {
  type JobAnswer,
  jobAnswer,
  type SkippedAnswer,
  skippedAnswer,
  type VersionAnswer,
  versionAnswer,
} from "./job-answer.ts";
import { jsonText, ownTimezone, stateText, tableText } from "./show-list.ts";
import { parseVersion } from "./sign-decision.ts";

type Options = { versions?: boolean; source?: boolean; json?: boolean };

/** `jr job NAME`: one job with what its version may do, its versions, or its source. */
export function command(context: CliContext): Command {
  return new Command("job")
    .description("show a job: state, schedule, permissions")
    .argument("<name>", "the job")
    .argument("[version]", "such as v3; the active one, else the newest, where none is given")
    .option("--versions", "list its versions instead")
    .option("--source", "print the source of a version instead")
    .option("--json", "print JSON")
    .action((name: string, version: string | undefined, options: Options) =>
      show(context, name, parseVersion(version), options),
    );
}

const oneAnswer = z.object({ job: jobAnswer, version: versionAnswer, skipped: z.array(skippedAnswer) });
const filesAnswer = z.object({ files: z.array(z.object({ path: z.string(), text: z.string() })) });

async function show(context: CliContext, name: string, wanted: number | undefined, options: Options): Promise<void> {
  const client = await connectDaemon(context);
  const path = `/api/jobs/${encodeURIComponent(name)}`;
  if (options.versions) return showVersions(context, client, path, options);
  const found = await client.get(path, oneAnswer);
  const version =
    wanted === undefined
      ? found.version
      : (await client.get(`${path}/versions/${wanted}`, z.object({ version: versionAnswer }))).version;
  if (options.source) return showSource(context, client, `${path}/versions/${version.number}`, options);
  print(context, options.json ? jsonText({ ...found, version }) : jobText(context, found.job, version, found.skipped));
}

async function showVersions(context: CliContext, client: DaemonClient, path: string, { json }: Options): Promise<void> {
  const answer = z.object({ active: z.int().nullable(), versions: z.array(versionAnswer) });
  const { active, versions } = await client.get(`${path}/versions`, answer);
  if (json) return print(context, jsonText({ active, versions }));
  const rows = versions.map((version) => [
    `v${version.number}`,
    version.number === active ? stateText(context, "active") : stateText(context, version.state),
    formatTime(version.created_at, ownTimezone()),
    visibleLine(version.proposed_by),
    visibleLine(version.rejected_note ?? version.note ?? ""),
  ]);
  print(context, tableText(context, ["VERSION", "STATE", "MADE", "BY", "NOTE"], rows));
}

async function showSource(context: CliContext, client: DaemonClient, path: string, { json }: Options): Promise<void> {
  const { files } = await client.get(`${path}/files`, filesAnswer);
  if (json) return print(context, jsonText(files));
  const [only] = files;
  if (files.length === 1 && only !== undefined) return print(context, visibleText(only.text));
  for (const file of files) print(context, `// ${visibleLine(file.path)}\n${visibleText(file.text)}`);
}

function jobText(
  context: CliContext,
  job: JobAnswer,
  version: VersionAnswer,
  skipped: readonly SkippedAnswer[],
): string {
  const { permissions, description, runsOn } = version.manifest;
  const triggers = triggersInWords(version.manifest.triggers);
  const priority = priorityInWords(version.manifest);
  const secrets = Object.entries(permissions.secrets).map(([name, hosts]) => `${name} to ${hosts.join(", ")}`);
  const by =
    job.state === "paused"
      ? ` by ${job.paused_by ?? "unknown"}${job.paused_reason === null ? "" : `: ${visibleLine(job.paused_reason)}`}`
      : "";
  const zone = ownTimezone();
  return [
    `${job.name} v${version.number}  ${stateText(context, version.number === job.active ? "active" : version.state)}`,
    `  ${visibleLine(description)}`,
    `state      ${stateText(context, job.state)}${by}`,
    `versions   active ${job.active === null ? "none" : `v${job.active}`}, waiting ${job.pending === null ? "none" : `v${job.pending}`}`,
    ...(job.pending === null ? [] : [`to sign    ${personCommand(context.home, "approve", job.name)}`]),
    `last run   ${job.last_run === null ? "none" : `${formatRunId(job.last_run.id)} ${stateText(context, job.last_run.state)}`}`,
    `next run   ${job.next_slot === null ? "none" : formatTime(job.next_slot, zone)}`,
    ...skipped.map((slots) => `no run     ${visibleLine(skippedLine(slots, zone))}`),
    ...version.schedules.map(
      ({ words, cron, timezone, ...rest }) =>
        `schedule   ${words} (${visibleLine(cron)}, ${timezone})${jitterText(rest)}`,
    ),
    ...(version.schedules.length + triggers.length === 0 ? ["schedule   none: it runs when it is asked to"] : []),
    ...triggers.map((words) => `started    ${visibleLine(words)}`),
    ...(priority === undefined ? [] : [`priority   ${priority}`]),
    `may reach  ${permissions.net.map((grant) => `${hostText(grant)}${grant.private ? " (private)" : ""}`).join(", ") || "nothing"}`,
    `secrets    ${secrets.map(visibleLine).join("; ") || "none"}`,
    ...(runsOn.length === 0 ? [] : [`runs on    machines with the labels ${runsOn.map(visibleLine).join(", ")}`]),
    `limits     ${limitsText(version.manifest)}`,
    `file       ${job.path === null ? "none" : visibleLine(job.path)}`,
    `proposed   by ${visibleLine(version.proposed_by)}, ${formatTime(version.created_at, zone)}${version.note === null ? "" : `: ${visibleLine(version.note)}`}`,
  ].join("\n");
}

function jitterText(schedule: { jitterMs: number }): string {
  const words = jitterInWords(schedule);
  return words === undefined ? "" : `; ${words}`;
}
