/*
 * Reads the notes in a folder that changed since the last digest, and keeps a digest of them as an artifact of the run.
 *
 * Change: `folder` and the same folder in `permissions.files`, `endings`, the schedule. The job can read that folder and nothing
 * else, and cannot write. Digests are shown by `jr show R12 --artifacts`.
 */
import { defineJob, z } from "jobrunner";

const folder = "~/notes";
const endings = [".md", ".txt"];
/** Bounds, so that a folder that grew does not make a run endless. */
const maxNotes = 200;
const maxDepth = 5;

export default defineJob({
  description: "Makes a digest of the notes that changed since the day before",
  schedule: { cron: "0 7 * * *", catchUp: "latest" },
  permissions: { files: { read: ["~/notes"] } },
  limits: { timeout: "2m", effects: 2_000 },
  input: z.object({ excerptCharacters: z.int().min(50).max(2_000).default(300) }),

  async run({ input, files, artifacts, kv, log }) {
    const since = (await kv.get<number>("since")) ?? 0;
    const changed: { path: string; modifiedMs: number }[] = [];
    const folders = [{ path: folder, depth: 0 }];
    for (let next = folders.shift(); next !== undefined; next = folders.shift()) {
      for (const { name, type, modifiedMs } of await files.list(next.path)) {
        if (name.startsWith(".")) continue;
        const path = `${next.path}/${name}`;
        if (type === "folder" && next.depth < maxDepth) folders.push({ path, depth: next.depth + 1 });
        if (type === "file" && modifiedMs > since && endings.some((ending) => name.endsWith(ending)))
          changed.push({ path, modifiedMs });
      }
    }
    if (changed.length === 0) return { notes: 0, digest: null };

    // The oldest first, so that what does not fit into this digest is newer than its mark and stands in the next one.
    changed.sort((a, b) => a.modifiedMs - b.modifiedMs);
    const chosen = changed.slice(0, maxNotes);
    const sections: string[] = [];
    for (const { path, modifiedMs } of chosen) {
      const text = await files.readText(path);
      const title = /^#\s+(.+)$/m.exec(text)?.[1] ?? path.slice(folder.length + 1);
      const excerpt = text.replace(/^#.*$/m, "").replace(/\s+/g, " ").trim().slice(0, input.excerptCharacters);
      sections.push(`## ${title}\n${path}, ${new Date(modifiedMs).toISOString()}\n\n${excerpt}\n`);
    }
    const digest = await artifacts.write("digest.md", `# Notes that changed\n\n${sections.join("\n")}`, {
      type: "text/markdown",
    });
    await kv.set("since", chosen.at(-1)?.modifiedMs ?? since);
    log.info(`${chosen.length} of ${changed.length} changed notes`);
    return { notes: chosen.length, left: changed.length - chosen.length, digest: digest.name };
  },
});
