/*
 * Is started when files come into a folder or change there, reads them, and keeps a report of them as an artifact of the run.
 *
 * Change: `endings`, what the report says, and the folder, which stands twice: in `triggers.files` and in `permissions.files`. What
 * changed while nothing ran is found later. Files that the job itself writes there do not start it again.
 */
import { defineJob } from "jobrunner";

const endings = [".txt", ".md", ".csv"];
const longestLine = 120;

export default defineJob({
  description: "Keeps a report of the files that come into the inbox",
  triggers: { files: ["~/inbox"] },
  permissions: { files: { read: ["~/inbox"] } },
  limits: { timeout: "2m", effects: 3_000 },

  async run({ run, files, artifacts, kv, log }) {
    if (run.event?.kind !== "files") return { read: 0, report: null };
    const lines: string[] = [];
    for (const { path, change } of run.event.changes) {
      if (change === "deleted" || !endings.some((ending) => path.endsWith(ending))) continue;
      // It may have gone again before this run came to it.
      if ((await files.stat(path)) === null) continue;
      const text = await files.readText(path);
      const [first = ""] = text.split("\n");
      lines.push(
        `- ${path}: ${text.split("\n").length} lines, begins with ${JSON.stringify(first.slice(0, longestLine))}`,
      );
    }
    if (run.event.more > 0) log.warn(`${run.event.more} more changes are not in the list`);
    if (lines.length === 0) return { read: 0, report: null };
    const total = ((await kv.get<number>("total")) ?? 0) + lines.length;
    const report = await artifacts.write("report.md", `# New in the inbox\n\n${lines.join("\n")}\n`, {
      type: "text/markdown",
    });
    await kv.set("total", total);
    return { read: lines.length, total, report: report.name };
  },
});
