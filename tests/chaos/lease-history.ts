import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { lostAfterMs } from "../../server/runs/queue/heartbeat.ts";

/** The time in which a worker, by its own log, held a run: until it let go, or until its last renewal had run out. */
export type Hold = Readonly<{ run: number; lease: number; worker: string; from: number; until: number }>;

const time = z.iso.datetime().transform((text) => Date.parse(text));
const line = z.discriminatedUnion("msg", [
  z.object({ msg: z.literal("run claimed"), run: z.number(), lease: z.number(), since: time }),
  z.object({
    msg: z.literal("leases renewed"),
    leases: z.array(z.object({ runId: z.number(), lease: z.number() })),
    since: time,
  }),
  z.object({ msg: z.literal("run let go"), run: z.number(), lease: z.number(), until: time }),
]);

/** Reads what the workers wrote into their log folders; the database is not asked. */
export function readHolds(workers: readonly Readonly<{ name: string; logs: string }>[]): Hold[] {
  return workers.flatMap(({ name, logs }) => {
    const holds = new Map<string, { run: number; lease: number; worker: string; from: number; until: number }>();
    const let_go = new Set<string>();
    for (const entry of linesOf(logs)) {
      switch (entry.msg) {
        case "run claimed": {
          const { run, lease, since } = entry;
          holds.set(`${run}/${lease}`, { run, lease, worker: name, from: since, until: since + lostAfterMs });
          break;
        }
        case "leases renewed":
          for (const { runId, lease } of entry.leases) {
            const hold = holds.get(`${runId}/${lease}`);
            if (hold !== undefined && !let_go.has(`${runId}/${lease}`)) hold.until = entry.since + lostAfterMs;
          }
          break;
        case "run let go": {
          const hold = holds.get(`${entry.run}/${entry.lease}`);
          // Whoever lets go late has lost it long before.
          if (hold !== undefined) hold.until = Math.min(hold.until, entry.until);
          let_go.add(`${entry.run}/${entry.lease}`);
          break;
        }
        default:
          entry satisfies never;
      }
    }
    return [...holds.values()];
  });
}

function linesOf(logs: string): z.infer<typeof line>[] {
  const files = readdirSync(logs).filter((file) => file.startsWith("daemon.log"));
  const lines = files.flatMap((file) => readFileSync(join(logs, file), "utf8").split("\n"));
  const read = lines.flatMap((text) => {
    // The last line of a killed process may be cut off.
    const parsed = text.endsWith("}") ? line.safeParse(JSON.parse(text)) : undefined;
    return parsed?.success ? [parsed.data] : [];
  });
  const at = (entry: z.infer<typeof line>) => (entry.msg === "run let go" ? entry.until : entry.since);
  return read.sort((a, b) => at(a) - at(b));
}

/** Pairs of holds that share a moment although they must not, in words. */
export function overlaps(holds: readonly Hold[], mustNotMeet: (a: Hold, b: Hold) => boolean): string[] {
  const sorted = [...holds].sort((a, b) => a.from - b.from);
  const found: string[] = [];
  sorted.forEach((first, index) => {
    for (const second of sorted.slice(index + 1)) {
      if (second.from - first.from > 10 * 60_000) break;
      if (second.from < first.until && mustNotMeet(first, second)) {
        found.push(`${shown(first)} and ${shown(second)} meet for ${first.until - second.from} ms`);
      }
    }
  });
  return found;
}

function shown({ run, lease, worker }: Hold): string {
  return `R${run} lease ${lease} of ${worker}`;
}
