import { readdirSync, readFileSync } from "node:fs";

/** Megabytes of a process and all that descend from it. */
export type Memory = Readonly<{
  /** Resident, with pages that several share counted once: what is private to each, and the most that one of them shares. */
  ownMb: number;
  /** Resident, with shared pages counted for each process, as most tools add it up. */
  rssMb: number;
}>;

/** What processes take with all of their descendants. Linux alone tells. */
export function memoryOf(pids: readonly number[]): Memory {
  let [own, shared, rss] = [0, 0, 0];
  for (const pid of withDescendants(pids)) {
    const text = read(`/proc/${pid}/smaps_rollup`);
    own += kilobytes(text, "Private_Clean") + kilobytes(text, "Private_Dirty");
    shared = Math.max(shared, kilobytes(text, "Shared_Clean") + kilobytes(text, "Shared_Dirty"));
    rss += kilobytes(text, "Rss");
  }
  return { ownMb: (own + shared) / 1024, rssMb: rss / 1024 };
}

/** Processes and all that descend from them. */
export function withDescendants(pids: readonly number[]): ReadonlySet<number> {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const parent = /^\d+$/.test(entry) ? parentOf(entry) : undefined;
    if (parent !== undefined) parents.set(Number(entry), parent);
  }
  const all = new Set(pids);
  for (let before = 0; before < all.size; ) {
    before = all.size;
    for (const [pid, parent] of parents) if (all.has(parent)) all.add(pid);
  }
  return all;
}

function parentOf(pid: string): number | undefined {
  // The name before it, in parentheses, may hold anything.
  const [, parent] = /\) \S (\d+) /.exec(read(`/proc/${pid}/stat`)) ?? [];
  return parent === undefined ? undefined : Number(parent);
}

/** Empty for a process that has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function kilobytes(text: string, name: string): number {
  const [, value = "0"] = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text) ?? [];
  return Number(value);
}
