/** Which of some models a server has not, given the names that it lists. It reads a name without a tag as its latest. */
export function missingModels(wanted: readonly string[], there: readonly string[]): readonly string[] {
  return wanted.filter((model) => !there.includes(/:[^/]+$/.test(model) ? model : `${model}:latest`));
}
