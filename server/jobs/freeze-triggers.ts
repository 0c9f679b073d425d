import type { Declared } from "./declaration-schema.ts";
import { jobProblem } from "./freeze-names.ts";
import { type Folders, freezeGrants, isWithin } from "./freeze-path.ts";
import type { Manifest, Triggers } from "./manifest.ts";
import type { ManifestProblem } from "./manifest-problems.ts";

/** What starts the job besides its schedules, made exact; files that it may not read are added to `problems`. */
export function freezeTriggers(
  { triggers: { after, files, webhook } }: Declared,
  granted: Manifest["permissions"]["files"],
  folders: Folders,
  problems: ManifestProblem[],
): Triggers {
  after.forEach(({ job }, index) => {
    const problem = jobProblem(job);
    if (problem !== undefined) problems.push({ path: `triggers.after.${index}`, ...problem });
  });
  const twice = after.find(({ job }, index) => after.findIndex((other) => other.job === job) !== index);
  if (twice !== undefined) {
    problems.push({
      path: "triggers.after",
      message: `${JSON.stringify(twice.job)} stands there twice`,
      hint: 'name each job once; on: "end" is for both ends',
    });
  }
  const paths = freezeGrants(files, "triggers.files", folders, problems);
  const readable = [...granted.read, ...granted.write];
  for (const path of paths.filter((each) => !readable.some((grant) => isWithin(each, grant)))) {
    problems.push({
      path: "triggers.files",
      message: `${JSON.stringify(path)} is not within permissions.files`,
      hint: "let the job read what it waits for: add it to permissions.files.read",
    });
  }
  return { after: after.toSorted((a, b) => (a.job < b.job ? -1 : 1)), files: paths, webhook };
}
