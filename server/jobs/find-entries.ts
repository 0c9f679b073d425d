import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { findNameProblem, jobOfEntry } from "./job-name.ts";

/** The files that would be a job's entry; more than one is a conflict. */
export async function findEntries(folder: string, job: string): Promise<string[]> {
  const candidates = [`${job}.ts`, `${job}/index.ts`];
  const found = await Promise.all(
    candidates.map((path) =>
      lstat(join(folder, path)).then(
        (info) => info.isFile() || info.isSymbolicLink(),
        () => false,
      ),
    ),
  );
  return candidates.filter((_, index) => found[index]);
}

/** Whether a file says that it is a job. Helpers beside the jobs do not, and neither does a file that was just begun. */
export async function declaresJob(folder: string, entry: string): Promise<boolean> {
  const text = await readFile(join(folder, entry), "utf8").catch(() => "");
  return text.includes("defineJob");
}

/** The jobs that the folder holds, by the names of its files alone. */
export async function listFolderJobs(folder: string): Promise<string[]> {
  const names = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const jobs = names.flatMap((entry) => {
    const job = entry.isDirectory() ? jobOfEntry(`${entry.name}/index.ts`) : jobOfEntry(entry.name);
    return job === undefined ? [] : [job];
  });
  return [...new Set(jobs)].sort();
}

/** Why the file would be a job but for its name; undefined for all others. `path` is relative to the folder. */
export function findBadName(path: string): string | undefined {
  const name = /^([^/]+?)(?:\.ts|\/index\.ts)$/.exec(path)?.[1];
  return name === undefined || name.endsWith(".d") || name.startsWith(".") ? undefined : findNameProblem(name);
}
