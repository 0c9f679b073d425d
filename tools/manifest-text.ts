import { formatTime } from "../server/format-time.ts";
import { limitsText } from "../server/jobs/limits-text.ts";
import { callerKinds, type ExecGrant, type Manifest } from "../server/jobs/manifest.ts";
import { nextSlots, scheduleInWords } from "../server/jobs/schedule-words.ts";
import { jitterInWords, priorityInWords, triggersInWords } from "../server/jobs/trigger-words.ts";
import { netGrantText } from "../server/review/widened.ts";
import { inline } from "./fence.ts";

const shownSlots = 3;

/** What a manifest declares, as a list: schedule in words, next slots in its own zone, permissions, limits. */
export function manifestText(manifest: Manifest, now: Date): string {
  const { schedules, permissions, input, onUncertain, callers, runsOn } = manifest;
  const { files, llm, notify, exec, run, agents, tasks } = permissions;
  const triggers = triggersInWords(manifest.triggers);
  const priority = priorityInWords(manifest);
  const secrets = Object.entries(permissions.secrets);
  return [
    ...(schedules.length === 0
      ? [`- schedule: none${triggers.length === 0 ? "; it runs by request only" : ""}`]
      : schedules.map((each) => scheduleLine(each, now))),
    ...triggers.map((words) => `- started ${inline(words)}`),
    ...(priority === undefined ? [] : [`- priority ${priority}`]),
    `- may fetch from: ${permissions.net.map((grant) => inline(netGrantText(grant))).join(", ") || "nowhere"}`,
    `- secrets: ${secrets.map(([name, hosts]) => `${name} (sent to ${hosts.map((host) => inline(host)).join(", ")})`).join(", ") || "none"}`,
    ...listed("may read files in", files.read),
    ...listed("may read and change files in", files.write),
    ...listed("may ask models", llm),
    ...listed("may notify", notify),
    ...listed("may start jobs", run),
    ...(tasks === null ? [] : [`- tasks: ${tasks}`]),
    ...listed("may give tasks to agents in the roles", agents),
    ...exec.map((grant) => `- may run: ${inline(execText(grant), 500)}`),
    ...listed("runs only on machines with the labels", runsOn),
    `- limits: ${limitsText(manifest)}`,
    ...(onUncertain === "ask" ? [] : [`- onUncertain: ${onUncertain}`]),
    ...(callers.length === callerKinds.length ? [] : [`- started only by: ${callers.join(", ")}`]),
    ...(input === null ? [] : [`- input schema: ${inline(JSON.stringify(input), 1_000)}`]),
  ].join("\n");
}

/** Nothing where the list is empty: most jobs ask for few powers. */
function listed(label: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`- ${label}: ${names.map((name) => inline(name)).join(", ")}`];
}

function execText({ command, args, cwd, env, repeatable }: ExecGrant): string {
  const more = [
    ...(cwd === null ? [] : [`in ${cwd}`]),
    ...(Object.keys(env).length === 0 ? [] : [`env ${JSON.stringify(env)}`]),
    ...(repeatable ? ["repeatable"] : []),
  ];
  const patterns = args.map((pattern) => ` ${JSON.stringify(pattern)}`).join("") || " without arguments";
  return `${command}${patterns}${more.length === 0 ? "" : ` (${more.join("; ")})`}`;
}

function scheduleLine(schedule: Manifest["schedules"][number], now: Date): string {
  const jitter = jitterInWords(schedule);
  const next = nextSlots(schedule, now, shownSlots).map((slot) => formatTime(slot, schedule.timezone));
  return `- schedule ${inline(schedule.key)}: ${inline(scheduleInWords(schedule))} (\`${inline(schedule.cron)}\`, ${schedule.timezone}); next ${next.join(", ") || "never"}; catchUp ${schedule.catchUp}, overlap ${schedule.overlap}${jitter === undefined ? "" : `; ${jitter}`}`;
}
