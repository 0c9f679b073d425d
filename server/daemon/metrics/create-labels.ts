/** What stands for everything beyond the limit; no name of a job or an effect has parentheses. */
export const others = "(others)";

/** Makes the label of a name: the first so many names get their own, all further ones share one. */
export function createLabels(most: number): (name: string) => string {
  const known = new Set<string>();
  return (name) => {
    if (!known.has(name) && known.size >= most) return others;
    known.add(name);
    return name;
  };
}
