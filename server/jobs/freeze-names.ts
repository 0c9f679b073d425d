import { findNameProblem } from "./job-name.ts";
import type { ManifestProblem } from "./manifest-problems.ts";

type Check = (name: string) => Omit<ManifestProblem, "path"> | undefined;

/** Names sorted, each once; those that can be none are added to `problems`. */
export function freezeNames(
  names: readonly string[],
  place: string,
  check: Check,
  problems: ManifestProblem[],
): string[] {
  names.forEach((name, index) => {
    const problem = check(name);
    if (problem !== undefined) problems.push({ path: `${place}.${index}`, ...problem });
  });
  return [...new Set(names)].sort();
}

/** Names of models as Ollama has them: `name`, `name:tag`, `namespace/name:tag`. */
const model = /^(?:[a-z0-9][a-z0-9._-]{0,79}\/)?[a-z0-9][a-z0-9._-]{0,79}(?::[a-z0-9_][a-z0-9._-]{0,79})?$/i;

export const modelProblem: Check = (name) =>
  model.test(name)
    ? undefined
    : { message: `${shown(name)} names no model`, hint: 'such as "qwen3:4b"; `ollama list` shows what is there' };

export const targetProblem: Check = (name) =>
  /^[a-z][a-z0-9-]{0,62}$/.test(name)
    ? undefined
    : {
        message: `${shown(name)} names no target: lower-case letters, digits and dashes, a letter first`,
        hint: 'such as "desktop"; the targets stand in config.yaml',
      };

export const labelProblem: Check = (name) =>
  /^[a-z][a-z0-9-]{0,62}$/.test(name)
    ? undefined
    : {
        message: `${shown(name)} is no label: lower-case letters, digits and dashes, a letter first`,
        hint: 'such as "gpu"; a worker\'s labels stand in its config.yaml',
      };

export const jobProblem: Check = (name) => {
  const message = findNameProblem(name);
  return message === undefined ? undefined : { message, hint: "name the jobs that it may start; job_list shows them" };
};

export const roleProblem: Check = (name) =>
  /^[a-z][a-z0-9-]{0,62}$/.test(name)
    ? undefined
    : {
        message: `${shown(name)} names no role: lower-case letters, digits and dashes, a letter first`,
        hint: 'such as "researcher"; jr role list shows what is there',
      };

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100));
}
