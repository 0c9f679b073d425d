import type { Home } from "../home.ts";
import { personCommand } from "../person-command.ts";
import { visibleLine } from "../review/visible-text.ts";
import type { Paint } from "./paint.ts";
import type { StatusAnswer } from "./status-answer.ts";

/** How everything stands, in the words of `jr status` and of the first lines of `jr up`. */
export function statusText(status: StatusAnswer, home: Home, paint: Paint): string {
  const { approvals, store, worker } = status;
  const lines = [
    `${paint("bold", `JobRunner ${status.version}`)} runs since ${localTime(status.started_at)} (pid ${status.pid}, ${status.memory_mb} MB)`,
    `  home   ${status.home}`,
    `  jobs   ${status.jobs_folder} (${status.jobs})`,
    `  store  ${store.kind === "pglite" ? "embedded (PGlite)" : "PostgreSQL"}${worker.connected ? "" : paint("red", ", DOES NOT ANSWER")}`,
    `  runs   ${status.live.length} live, at most ${placesOf(status)} at once`,
  ];
  if (worker.trouble !== null) lines.push(paint("red", `  TROUBLE ${visibleLine(worker.trouble)}`));
  const waits = [
    ...(approvals.problem === null ? [] : [paint("red", `nothing runs: ${visibleLine(approvals.problem)}`)]),
    ...(approvals.set_up ? [] : [`your signing key, once: ${paint("cyan", personCommand(home, "setup"))}`]),
    ...(approvals.set_up && !approvals.protected
      ? [paint("yellow", "the signing key is UNPROTECTED (no passphrase)")]
      : []),
    ...status.waiting.map(({ job, version, command }) => `review ${job} v${version}: ${paint("cyan", command)}`),
    ...status.unsigned.map(({ what, command }) => `${visibleLine(what)}: ${paint("cyan", command)}`),
    ...inOneGo(status, home, paint),
    ...status.questions.map(
      ({ run, job, question }) =>
        `${run} of ${job} asks: ${visibleLine(question).slice(0, 200)}: ${paint("cyan", personCommand(home, "answer", run))}`,
    ),
    ...status.tasks.for_you.map(
      ({ task, title }) =>
        `${task} ${visibleLine(title).slice(0, 100)}: ${paint("cyan", personCommand(home, "task", "show", task))}`,
    ),
  ];
  lines.push(...section("Waits for you", waits, paint));
  lines.push(
    ...section(
      "Files that were not accepted",
      status.folder_problems.map(({ file, line, message }) => `${visibleLine(file)}:${line} ${visibleLine(message)}`),
      paint,
    ),
  );
  lines.push(
    ...section(
      "Alerts",
      status.alerts.map(
        ({ message, count, command }) =>
          `${visibleLine(message)}${count > 1 ? ` (${count} times)` : ""}${command === null ? "" : `: ${personCommand(home, ...command)}`}`,
      ),
      paint,
    ),
  );
  lines.push(
    ...section(
      "Alerts do not reach",
      status.failing_targets.map(
        ({ target, since, message }) =>
          `${target}, since ${localTime(since)}: ${visibleLine(message)} (alerts.targets in config.yaml)`,
      ),
      paint,
    ),
  );
  const dead = `${status.dead} run${status.dead === 1 ? "" : "s"} failed for good: ${personCommand(home, "dead")}`;
  lines.push(...section("Dead letters", status.dead === 0 ? [] : [dead], paint));
  lines.push(
    ...section(
      "Running",
      status.live.map((run) => `${run.run} ${run.job} ${run.state}`),
      paint,
    ),
  );
  lines.push(...section("Tasks, plans and agents", workLines(status), paint));
  lines.push(...section("Workers", workerLines(status, home), paint));
  lines.push(...section("Paused", status.paused, paint));
  lines.push(
    ...section(
      "Next",
      status.next.slice(0, 5).map(({ job, at }) => `${localTime(at)}  ${job}`),
      paint,
    ),
  );
  return lines.join("\n");
}

function workLines({ tasks, plans, agents: { running, queued } }: StatusAnswer): string[] {
  return [
    ...(tasks.ready === 0 ? [] : [`${tasks.ready} ${tasks.ready === 1 ? "task is" : "tasks are"} ready to be taken`]),
    ...plans.map(({ plan, state, goal }) => `${plan} ${state}: ${visibleLine(goal).slice(0, 100)}`),
    ...(running + queued === 0 ? [] : [`agents: ${running} running, ${queued} queued`]),
  ];
}

/** Most runs at once, on all machines. */
function placesOf({ worker, workers }: StatusAnswer): number {
  const there = workers.filter(({ state, problem }) => state === "active" && problem === null);
  return there.length === 0 ? worker.max : there.reduce((sum, { max }) => sum + max, 0);
}

/** Nothing where the daemon alone executes runs, and can. */
function workerLines({ workers }: StatusAnswer, home: Home): string[] {
  const there = workers.filter(({ state }) => state !== "ended");
  if (there.length < 2 && there.every(({ problem }) => problem === null)) return [];
  return [
    ...there.map(
      ({ name, state, running, max, problem }) =>
        `${visibleLine(name)}  ${state}, ${running} of ${max} places${problem === null ? "" : `; takes no runs: ${visibleLine(problem)}`}`,
    ),
    `more: ${personCommand(home, "workers")}`,
  ];
}

/** A time in this machine's zone, which it names. */
export function localTime(iso: string): string {
  const options = { dateStyle: "short", timeStyle: "medium" } as const;
  const zone = new Intl.DateTimeFormat("en", { timeZoneName: "short" })
    .formatToParts(new Date(iso))
    .find(({ type }) => type === "timeZoneName");
  return `${new Intl.DateTimeFormat("sv-SE", options).format(new Date(iso))} ${zone?.value ?? ""}`.trim();
}

/** How all that waits is signed with one passphrase, where it is more than one. */
function inOneGo({ waiting, unsigned }: StatusAnswer, home: Home, paint: Paint): string[] {
  const names = [...waiting.map(({ job }) => job), ...unsigned.flatMap(({ name }) => name ?? [])];
  if (names.length < 2 || names.length > 10) return [];
  return [`these in one go: ${paint("cyan", personCommand(home, "approve", ...names))}`];
}

function section(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.length === 0 ? [] : ["", paint("bold", title), ...lines.map((line) => `  ${line}`)];
}
