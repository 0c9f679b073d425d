import { setTimeout as delay } from "node:timers/promises";
import { percentile } from "./figures.ts";
import { openGrounds } from "./peers/grounds.ts";
import { openStand, type Stand } from "./peers/open-stand.ts";
import { type ContestantName, contestants } from "./peers/table.ts";
import { printBar, printTable } from "./report.ts";

/*
 * The same job (one line, then the end) with us and with others, each in a process of its own, at most two runs at a time. After a
 * warm-up of 10 runs they take turns, round by round, so that they share the machine's moods; figures are medians over the rounds.
 * PostgreSQL and Redis sync each commit, and PGlite does. Slots: `* * * * * *`, one contestant after another.
 * `node tests/bench/peers.ts [rounds] [slots]`
 */
const rounds = Number(process.argv[2] ?? 4);
const slotCount = Number(process.argv[3] ?? 15);
const [warmUp, linesPerRound, runsPerRound, chainLength] = [10, 12, 100, 40];

type Figures = { lines: number[]; perSecond: number[]; chain: number[]; idle: number[]; load: number[] };
const ours: ContestantName = "jobrunner, PGlite";

await using grounds = await openGrounds();
const figures = new Map<ContestantName, Figures>();
{
  await using stack = new AsyncDisposableStack();
  const stands: Stand[] = [];
  for (const name of grounds.names) {
    stands.push(stack.use(await openStand(name, await grounds.of(name))));
    figures.set(name, { lines: [], perSecond: [], chain: [], idle: [], load: [] });
  }
  for (const stand of stands) await stand.ask({ what: "first lines", count: warmUp });
  for (let round = 0; round < rounds; round++) {
    for (const stand of turn(stands, round)) {
      const { lines, perSecond, chain } = require(stand.name);
      lines.push(...(await stand.ask({ what: "first lines", count: linesPerRound })));
      const [ms = Number.NaN] = await stand.ask({ what: "many", count: runsPerRound });
      perSecond.push(runsPerRound / (ms / 1_000));
      const [chainMs = Number.NaN] = await stand.ask({ what: "chain", count: chainLength });
      chain.push(chainMs);
    }
  }
  for (const stand of stands) {
    // What the others' rounds left behind (checkpoints, collections) ends first.
    await delay(1_000);
    const own = require(stand.name);
    own.idle.push(...(await stand.ask({ what: "slots", count: slotCount, load: false })));
    own.load.push(...(await stand.ask({ what: "slots", count: slotCount, load: true })));
  }
}

function require(name: ContestantName): Figures {
  const found = figures.get(name);
  if (found === undefined) throw new Error(`no figures of ${name}`);
  return found;
}

function turn<T>(values: readonly T[], by: number): T[] {
  return values.map((_, at) => values[(at + by) % values.length]).filter((value) => value !== undefined);
}

const p50 = (values: readonly number[]) => percentile(values, 0.5);
const us = require(ours);

/** How often ours goes into theirs; for rates the other way round, so that more is always better for us. */
function ratio(mine: number, theirs: number): string {
  const times = theirs / mine;
  return times >= 1 ? `${times.toFixed(1)} x ours` : `1/${(1 / times).toFixed(1)} of ours`;
}

printTable(
  ["", "what a run is worth", "request → first line, p50", "runs per second", `chain of ${chainLength}`],
  [...figures].map(([name, { lines, perSecond, chain }]) => {
    const cell = (mine: readonly number[], theirs: readonly number[], unit: string, digits: number) =>
      `${p50(theirs).toFixed(digits)}${unit}${name === ours ? "" : ` (${ratio(p50(mine), p50(theirs))})`}`;
    return [
      name,
      contestants.find((each) => each.name === name)?.keeps ?? "",
      cell(us.lines, lines, " ms", 1),
      cell(us.perSecond, perSecond, "", 0),
      cell(us.chain, chain, " ms", 0),
    ];
  }),
);
printTable(
  ["slot lateness", "idle, p50", "idle, p99", "under load, p50", "under load, p99"],
  [...figures].map(([name, { idle, load }]) => {
    const late = (values: readonly number[], share: number) => `${percentile(values, share).toFixed(0)} ms`;
    const none = "its cron knows no seconds";
    return idle.length === 0
      ? [name, none, none, none, none]
      : [
          name === "fork per run" ? "node-cron and fork" : name,
          late(idle, 0.5),
          late(idle, 0.99),
          late(load, 0.5),
          late(load, 0.99),
        ];
  }),
);
printBar("request -> first line, embedded, p50", p50(us.lines), 7, " ms", "at most");
for (const [peer, share] of [
  ["bree", 5],
  ["fork per run", 8],
] as const) {
  const theirs = p50(require(peer).lines);
  printBar(`  as a share of ${peer}`, p50(us.lines) / theirs, 1 / share, "", "at most");
}
printBar("isolated no-op runs, two runners", p50(us.perSecond), 150, "/s", "at least");
printBar("slot lateness p99, idle", percentile(us.idle, 0.99), 50, " ms", "at most");
printBar("slot lateness p99, under load", percentile(us.load, 0.99), 250, " ms", "at most");
