import { z } from "zod";
import { formatTime } from "../server/format-time.ts";
import { effectText } from "../server/runs/effect-text.ts";
import { findRunFolder } from "../server/runs/find-run-folder.ts";
import { formatRunId, readAttempts, readEffects, readRunLog, requireRun } from "../server/runs/read.ts";
import { readArtifacts } from "../server/runs/read-artifacts.ts";
import { readRunEvent } from "../server/runs/triggers/run-event.ts";
import { waitForRun } from "../server/runs/wait-for-run.ts";
import { whyWaiting } from "../server/runs/workers/why-waiting.ts";
import type { Row } from "../server/store/tables.ts";
import { cursor, waitSeconds } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { inline, untrusted } from "./fence.ts";
import { foldEnd, foldStart, partChars } from "./fold.ts";
import { runSummary } from "./run-text.ts";
import type { ToolContext } from "./tool-context.ts";

const effectsPerPage = 40;

type Part = { attempt?: number | undefined; tail: number; cursor?: string | undefined };

export const runRead = defineTool({
  name: "run_read",
  title: "Read a run",
  description:
    "One run: summary (state, error with source line, output), output, log (the last lines), effects (every request that it made, with the answer), or artifacts (files that it left). wait_seconds waits for its end first.",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    run: z.union([z.string().max(20), z.int().min(1)]).describe("such as R152"),
    part: z.enum(["summary", "output", "log", "effects", "artifacts"]).default("summary"),
    attempt: z.int().min(1).describe("default: the latest").optional(),
    tail: z.int().min(1).max(1_000).describe("lines of log").default(60),
    cursor,
    wait_seconds: waitSeconds,
  }),
  async handle(context, { run: handle, part, wait_seconds, ...rest }) {
    const found = await requireRun(context.store.db, handle);
    const run =
      wait_seconds === undefined
        ? found
        : await waitForRun(context, found.id, { waitSeconds: wait_seconds, signal: context.signal });
    switch (part) {
      case "summary":
        return `${await summaryOf(context, run)}\n\n${nextStep(run)}`;
      case "output":
        return outputOf(run);
      case "log":
        return runLogText(context, run, rest);
      case "effects":
        return effectsOf(context, run, rest);
      case "artifacts":
        return artifactsOf(context, run);
      default:
        return part satisfies never;
    }
  },
});

/** The summary of a run as job_run and run_read show it. */
export async function summaryOf({ store, config }: ToolContext, run: Row<"runs">): Promise<string> {
  const attempts = await readAttempts(store.db, run.id);
  const event = await readRunEvent(store.db, run);
  return runSummary(run, attempts, config.timezone, { event, waitsFor: await whyWaiting(store, run) });
}

/** What to call next, by the state that the run is in. */
export function nextStep(run: Row<"runs">): string {
  const handle = formatRunId(run.id);
  switch (run.state) {
    case "queued":
    case "running":
    case "suspended":
      return `Next: run_read {"run": "${handle}", "wait_seconds": 50} waits for its end.`;
    case "succeeded":
    case "cancelled":
      return `More: run_read {"run": "${handle}", "part": "log"} or "effects".`;
    default:
      return `Next: run_read {"run": "${handle}", "part": "log"}, then "effects"; the skill triage-failures says what to do about it.${run.dead ? ` Once the cause is gone: run_control {"run": "${handle}", "action": "redrive"}.` : ""}`;
  }
}

function outputOf(run: Row<"runs">): string {
  const handle = formatRunId(run.id);
  if (run.output === null) return `${handle} (${run.state}) has no output. ${nextStep(run)}`;
  const text = JSON.stringify(JSON.parse(run.output), null, 1);
  return `${handle} ${run.state}\n\n${untrusted("Output", foldEnd(text, "let the job return less, or keep parts in kv"), "json")}`;
}

/** The last lines of a run's log. */
export async function runLogText(
  { store, config }: ToolContext,
  run: Row<"runs">,
  { attempt, tail }: Pick<Part, "attempt" | "tail">,
): Promise<string> {
  const log = await readRunLog(store.db, { runId: run.id, attempt, tail });
  const title = `${formatRunId(run.id)} ${run.job}: ${run.state}`;
  if (log.lines.length === 0) return `${title}\n\nIt has logged nothing. ${nextStep(run)}`;
  const text = log.lines.map((line) => `${formatTime(line.at, config.timezone)} ${line.level} ${line.text}`).join("\n");
  const before = log.before === 0 ? "" : ` after ${log.before} earlier ones (raise tail to see more)`;
  return `${title}\n\nAttempt ${log.attempt}, ${log.lines.length} lines${before}.\n${untrusted("Log", foldStart(text, "the end of it follows"))}`;
}

async function artifactsOf({ store, config }: ToolContext, run: Row<"runs">): Promise<string> {
  const title = `${formatRunId(run.id)} ${run.job}: ${run.state}`;
  const artifacts = await readArtifacts(store.db, run.id);
  if (artifacts.length === 0) return `${title}\n\nIt has left no artifacts. ${nextStep(run)}`;
  const lines = artifacts.map(
    ({ name, bytes, media_type, sha256 }) => `- ${name}: ${media_type}, ${bytes} bytes, ${sha256}`,
  );
  const { folder, host } = await findRunFolder(store.db, run.id, config.home.runs);
  return `${title}\n\nIn ${inline(folder)}${host === null ? "" : ` on ${inline(host)}`}:\n${untrusted("Artifacts", foldEnd(lines.join("\n"), "open the folder"))}`;
}

async function effectsOf({ store }: ToolContext, run: Row<"runs">, { attempt, cursor }: Part): Promise<string> {
  const after = /^\d{1,9}$/.test(cursor ?? "") ? Number(cursor) : 0;
  const page = await readEffects(store.db, { runId: run.id, attempt, limit: effectsPerPage, after });
  const title = `${formatRunId(run.id)} ${run.job}: ${run.state}`;
  if (page.effects.length === 0)
    return `${title}\n\nNo effects${after === 0 ? "" : " after that"}: it touched nothing.`;
  const texts = page.effects.map(effectText);
  const more =
    page.next === null
      ? ""
      : `\n\nMore: run_read {"run": "${formatRunId(run.id)}", "part": "effects", "cursor": "${page.next}"}.`;
  return `${title}\n\nAttempt ${page.attempt}, in order of issue.\n${untrusted("Effects", foldEnd(texts.join("\n"), "use the cursor", partChars))}${more}`;
}
