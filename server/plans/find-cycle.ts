/** What each node waits for, by key. Names of nodes that are not there count as nothing. */
export type Needs = ReadonlyMap<string, readonly string[]>;

/** A circle of nodes that wait for each other, from the first back to itself (`a`, `b`, `a`), or undefined. */
export function findCycle(needs: Needs): string[] | undefined {
  const done = new Set<string>();
  for (const start of needs.keys()) {
    // A stack of its own: a chain of hundreds of nodes must not depend on the size of the engine's.
    const path: { key: string; left: string[] }[] = [];
    const onPath = new Set<string>();
    const enter = (key: string) => {
      path.push({ key, left: [...(needs.get(key) ?? [])] });
      onPath.add(key);
    };
    if (!done.has(start)) enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.left.shift();
      if (next === undefined) {
        path.pop();
        onPath.delete(top.key);
        done.add(top.key);
      } else if (onPath.has(next)) {
        const keys = path.map(({ key }) => key);
        return [...keys.slice(keys.indexOf(next)), next];
      } else if (needs.has(next) && !done.has(next)) enter(next);
    }
  }
  return undefined;
}
