import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { messageOf, UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { visibleLine } from "../review/visible-text.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import type { Paint } from "./paint.ts";
import { type Activity, activityAnswer } from "./status-answer.ts";

const everyMs = 1_000;
const errorSchema = z.object({ message: z.string() });

/** Prints a line for each run that starts or ends and each version that comes to wait, until the signal aborts. */
export async function followRuns(context: CliContext, paint: Paint): Promise<void> {
  const { signal, home } = context;
  const told = new Map<number, string>();
  const waiting = new Set<string>();
  let isFirst = true;
  let isAway = false;
  while (!signal.aborted) {
    try {
      // Found anew each time: a daemon that was started again may listen elsewhere.
      const client = await connectDaemon(context);
      const answer = await client.get("/api/activity", activityAnswer);
      if (isAway) say(context, "The daemon answers again.");
      isAway = false;
      for (const run of answer.runs.toReversed()) {
        const now = `${run.attempt} ${run.state}`;
        if (!isFirst && told.get(run.id) !== now && !isFresh(run)) print(context, runLine(run, paint));
        told.set(run.id, now);
      }
      for (const { job, version } of answer.waiting) {
        const key = `${job} v${version}`;
        if (!isFirst && !waiting.has(key)) {
          print(
            context,
            `${clockTime()} ${paint("yellow", "review")}   ${key} waits for you: ${personCommand(home, "approve", job)}`,
          );
        }
        waiting.add(key);
      }
      isFirst = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof UserError)) throw error;
      if (!isAway) say(context, `The daemon does not answer: ${messageOf(error)}`);
      isAway = true;
    }
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
}

/** Nothing is told of a run that waits for its first attempt. */
function isFresh({ state, attempt }: Activity): boolean {
  return state === "queued" && attempt === 0;
}

function runLine(run: Activity, paint: Paint): string {
  const style = run.state === "succeeded" ? "green" : run.state === "running" ? "cyan" : "red";
  const name = `${run.run} ${run.job}${run.version === null ? "" : ` v${run.version}`}`;
  const again = run.attempt > 1 ? ` (attempt ${run.attempt})` : "";
  return `${clockTime()} ${paint(style, shownState(run).padEnd(9))} ${name}${again}${took(run)}${why(run)}`;
}

/** A run that waits again has failed at least once. */
function shownState({ state }: Activity): string {
  return state === "queued" ? "retry" : state;
}

function took({ started_at, finished_at }: Activity): string {
  if (started_at === null || finished_at === null) return "";
  const ms = Date.parse(finished_at) - Date.parse(started_at);
  return ms < 1_000 ? ` in ${ms} ms` : ` in ${(ms / 1000).toFixed(1)} s`;
}

function why({ error, state }: Activity): string {
  if (error === null || state === "running") return "";
  const parsed = errorSchema.safeParse(JSON.parse(error));
  return parsed.success ? `: ${visibleLine(parsed.data.message).slice(0, 200)}` : "";
}

function clockTime(): string {
  return new Date().toTimeString().slice(0, 8);
}
