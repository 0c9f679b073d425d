/** A node that has ended, for the report. */
type Timed = Readonly<{ key: string; needs: readonly string[]; ms: number }>;

/** The chain of nodes that took longest together, in order: what would have to get faster for the plan to. */
export function criticalPath(nodes: readonly Timed[]): { keys: string[]; ms: number } {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const best = new Map<string, { keys: string[]; ms: number }>();
  // In topological order, so that what a node waits for is known before it.
  for (const { key, needs, ms } of nodes) {
    let before: { keys: string[]; ms: number } = { keys: [], ms: 0 };
    for (const need of needs) {
      const way = byKey.has(need) ? best.get(need) : undefined;
      if (way !== undefined && way.ms >= before.ms) before = way;
    }
    best.set(key, { keys: [...before.keys, key], ms: before.ms + ms });
  }
  let longest: { keys: string[]; ms: number } = { keys: [], ms: 0 };
  for (const way of best.values()) if (way.ms > longest.ms || longest.keys.length === 0) longest = way;
  return longest;
}
