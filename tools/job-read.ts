import { z } from "zod";
import { UserError } from "../server/errors.ts";
import { formatTime } from "../server/format-time.ts";
import { diffVersions, listVersions, requireJob, requireVersion, versionFiles } from "../server/jobs/read.ts";
import { nearestWord } from "../server/nearest-word.ts";
import { listRuns, listSkippedSlots } from "../server/runs/read.ts";
import { skippedLine } from "../server/runs/skipped-text.ts";
import { jobName, versionNumber } from "./arguments.ts";
import { defineTool } from "./define-tool.ts";
import { fence, inline } from "./fence.ts";
import { foldEnd, partChars } from "./fold.ts";
import { jobLine } from "./job-list.ts";
import { manifestText } from "./manifest-text.ts";
import { runLine } from "./run-text.ts";
import type { ToolContext } from "./tool-context.ts";

const shownVersions = 50;
const shownRuns = 5;

export const jobRead = defineTool({
  name: "job_read",
  title: "Read a job",
  description:
    "One job: summary, source (one file of several with file), manifest (JSON), versions, or diff of a version against another (default: the one before).",
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    name: jobName,
    part: z.enum(["summary", "source", "manifest", "versions", "diff"]).default("summary"),
    version: versionNumber.describe("default: the newest; of summary, the active one").optional(),
    against: versionNumber.describe("for diff").optional(),
    file: z.string().max(300).describe("for source").optional(),
  }),
  async handle(context, { name, part, version, against, file }) {
    const { db } = context.store;
    switch (part) {
      case "summary":
        return summary(context, name, version);
      case "source":
        return jobSourceText(context, { name, version, file });
      case "manifest": {
        const row = await versionOf(context, name, version);
        return `${name} v${row.number} (${row.state})\n\n${fence(foldEnd(JSON.stringify(row.manifest, null, 1), "read the source"), "json")}`;
      }
      case "versions":
        return versions(context, name);
      case "diff": {
        const { number } = await versionOf(context, name, version);
        const other = against ?? number - 1;
        if (other < 1) return `${name} v1 is the first version: read it with part "source".`;
        const diff = await diffVersions(db, name, other, number);
        if (diff === "") return `${name} v${other} and v${number} have the same source.`;
        return `${name}, from v${other} to v${number}:\n${fence(foldEnd(diff, 'read part "source"'), "diff")}`;
      }
      default:
        return part satisfies never;
    }
  },
});

/** Every source file of a version, or one of them, as Markdown. Throws `job_not_found`, `version_not_found`, `invalid_argument`. */
export async function jobSourceText(
  context: ToolContext,
  { name, version, file }: { name: string; version: number | undefined; file: string | undefined },
): Promise<string> {
  const { number, state } = await versionOf(context, name, version);
  const files = await versionFiles(context.store.db, name, number);
  const own = Array.from(files).filter(([path]) => !path.includes("node_modules/"));
  const paths = own.map(([path]) => path);
  if (file !== undefined && !paths.includes(file)) {
    const guess = nearestWord(file, paths);
    throw new UserError("invalid_argument", `No such file.${guess === undefined ? "" : ` Did you mean "${guess}"?`}`, {
      next: `one of ${paths.slice(0, 30).join(", ")}`,
    });
  }
  const wanted = own.filter(([path]) => file === undefined || path === file);
  const budget = Math.max(2_000, Math.floor(partChars / Math.max(1, wanted.length)));
  const texts = wanted.map(
    ([path, text]) =>
      `## ${inline(path)}\n${fence(foldEnd(text, "read it in the jobs folder", budget), path.endsWith(".ts") ? "ts" : "")}`,
  );
  const packages = files.size - own.length;
  const note = packages === 0 ? "" : `\n\n${packages} files of packages are not shown.`;
  return `${name} v${number} (${state})\n\n${foldEnd(texts.join("\n\n"), "give file to read one of them", partChars * 1.2)}${note}`;
}

async function summary(context: ToolContext, name: string, version: number | undefined): Promise<string> {
  const { store, config, clock } = context;
  const job = await requireJob(context, name);
  const shown = await versionOf(context, name, version ?? job.active ?? undefined);
  const runs = await listRuns(store.db, { job: name, limit: shownRuns });
  const skipped = await listSkippedSlots(store.db, { job: name, limit: shownRuns });
  const waits =
    job.pending === null
      ? ""
      : `\n\nv${job.pending} waits for the person: job_review {"name": "${name}"} has what it changes and the command.`;
  return [
    `# ${name}`,
    jobLine(job, config.timezone),
    `${inline(shown.manifest.description, 500)}\n\nv${shown.number} (${shown.state}) declares:\n${manifestText(shown.manifest, clock())}${waits}`,
    runs.rows.length === 0
      ? "No runs yet."
      : `Latest runs:\n${runs.rows.map((run) => runLine(run, config.timezone)).join("\n")}`,
    ...(skipped.length === 0
      ? []
      : [
          `Slots without a run:\n${skipped.map((slots) => `- ${inline(skippedLine(slots, config.timezone))}`).join("\n")}`,
        ]),
    `Parts: source, manifest, versions, diff.${job.path === null ? " Its file was deleted." : ` File: ${inline(job.path)}.`}`,
  ].join("\n\n");
}

async function versions({ store, config }: ToolContext, name: string): Promise<string> {
  const rows = await listVersions(store.db, name);
  const lines = rows.slice(0, shownVersions).map((row) => {
    const note = row.note === null ? "" : ` · ${inline(row.note, 120)}`;
    return `- v${row.number} ${row.state} · ${formatTime(row.created_at, config.timezone)} · by ${inline(row.proposed_by, 60)}${note}`;
  });
  const more = rows.length - lines.length;
  return `Versions of ${name}, latest first:\n${lines.join("\n")}${more > 0 ? `\n… and ${more} older ones` : ""}`;
}

function versionOf({ store }: ToolContext, name: string, version: number | undefined) {
  return requireVersion(store.db, name, version);
}
