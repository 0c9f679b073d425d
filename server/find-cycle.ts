/**
 * A circle of those that wait for each other, from one back to itself (`a`, `b`, `a`), or undefined; looked for from each start. It goes
 * deep without recursion: a chain may have thousands.
 */
export function findCycle<Key>(starts: Iterable<Key>, needsOf: (key: Key) => Iterable<Key>): Key[] | undefined {
  const done = new Set<Key>();
  for (const start of starts) {
    const path: { key: Key; left: Iterator<Key> }[] = [];
    const onPath = new Set<Key>();
    const enter = (key: Key) => {
      path.push({ key, left: needsOf(key)[Symbol.iterator]() });
      onPath.add(key);
    };
    if (!done.has(start)) enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { value: next, done: isLast } = top.left.next();
      if (isLast) {
        path.pop();
        onPath.delete(top.key);
        done.add(top.key);
      } else if (onPath.has(next)) {
        const keys = path.map(({ key }) => key);
        return [...keys.slice(keys.indexOf(next)), next];
      } else if (!done.has(next)) enter(next);
    }
  }
  return undefined;
}
