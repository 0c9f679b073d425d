/*
 * Lists what was committed to a repository since the last digest, by author, as an artifact of the run.
 *
 * Change: `cwd` of the program (the repository), `git` and `command` (`command -v git` tells the path), the schedule. The job can run
 * git with exactly these arguments, where `*` stands for any text, and no other program. It is `repeatable`, since it only reads.
 * Digests are shown by `jr show R12 --artifacts`.
 */
import { defineJob } from "jobrunner";

const git = "/usr/bin/git";
const maxCommits = 200;

export default defineJob({
  description: "Makes a digest of what was committed since the day before",
  schedule: { cron: "0 18 * * 1-5", catchUp: "latest" },
  permissions: {
    exec: [
      {
        command: "/usr/bin/git",
        args: ["log", "--no-merges", "--max-count=*", "--since=*", "--format=%h%x09%an%x09%s"],
        cwd: "~/project",
        repeatable: true,
      },
    ],
  },
  limits: { timeout: "60s" },

  async run({ exec, artifacts, kv, log }) {
    const now = Date.now();
    const since = (await kv.get<number>("since")) ?? now - 86_400_000;
    const { code, stdout, stderr } = await exec(git, [
      "log",
      "--no-merges",
      `--max-count=${maxCommits}`,
      `--since=${new Date(since).toISOString()}`,
      "--format=%h%x09%an%x09%s",
    ]);
    if (code !== 0) throw new Error(`git ended with ${code}: ${stderr.slice(0, 500)}`);

    const byAuthor = new Map<string, string[]>();
    for (const line of stdout.split("\n").filter((each) => each !== "")) {
      const [hash = "", author = "", subject = ""] = line.split("\t");
      byAuthor.set(author, [...(byAuthor.get(author) ?? []), `- ${subject} (${hash})`]);
    }
    const commits = [...byAuthor.values()].reduce((sum, lines) => sum + lines.length, 0);
    log.info(`${commits} commits by ${byAuthor.size} authors`);
    if (commits === 0) return { commits: 0, digest: null };
    const sections = [...byAuthor].sort().map(([author, lines]) => `## ${author}\n${lines.join("\n")}\n`);
    const { name } = await artifacts.write("digest.md", sections.join("\n"), { type: "text/markdown" });
    // Kept only now: when this run fails, the next one starts from the same time.
    await kv.set("since", now);
    return { commits, digest: name };
  },
});
