/** What each node waits for, by key. Names of nodes that are not there count as nothing. */
export type Needs = ReadonlyMap<string, readonly string[]>;

export type Placed = Readonly<{ key: string; level: number }>;

/**
 * Topological order: level by level (the longest way from a node that waits for nothing), within one as they were given.
 * What is on a circle, or behind one, is missing from it.
 */
export function orderNodes(needs: Needs): Placed[] {
  const levels = new Map<string, number>();
  const open = new Map([...needs].map(([key, list]) => [key, list.filter((need) => needs.has(need))]));
  for (let level = 0; open.size > 0; level++) {
    const ready = [...open].filter(([, list]) => list.every((need) => levels.has(need))).map(([key]) => key);
    if (ready.length === 0) break;
    for (const key of ready) {
      levels.set(key, level);
      open.delete(key);
    }
  }
  return [...levels].map(([key, level]) => ({ key, level }));
}

/** Every node that waits for one of these, by way of others or not. */
export function dependantsOf(needs: Needs, keys: Iterable<string>): Set<string> {
  const followers = new Map<string, string[]>();
  for (const [key, list] of needs) for (const need of list) followers.set(need, [...(followers.get(need) ?? []), key]);
  const found = new Set<string>();
  const left = [...keys];
  for (let key = left.pop(); key !== undefined; key = left.pop()) {
    for (const next of followers.get(key) ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      left.push(next);
    }
  }
  return found;
}
