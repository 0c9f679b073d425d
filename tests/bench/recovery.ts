import { setTimeout as delay } from "node:timers/promises";
import { embeddedDaemon, twoDaemons } from "./peers/daemons.ts";
import { openGrounds } from "./peers/grounds.ts";
import { type Memory, memoryOf } from "./peers/memory.ts";
import { standSubject } from "./peers/stand-subject.ts";
import type { Subject } from "./peers/subject.ts";
import { printBar, printTable } from "./report.ts";

/*
 * Memory of everything that somebody needs (its processes, and the database server where it has one) after a minute of idling and
 * with two runs under way; then kill -9, and the time until both runs go on. Mostly there is nothing but waiting, so all of them
 * do it at once.
 * `node tests/bench/recovery.ts [idle seconds] [seconds to wait for a recovery]`
 */
const idleSeconds = Number(process.argv[2] ?? 65);
const patienceSeconds = Number(process.argv[3] ?? 65);

await using stack = new AsyncDisposableStack();
const grounds = stack.use(await openGrounds());
const subjects: { subject: Subject; holdUrl: string }[] = [];
const add = async (make: (holdUrl: string) => Promise<Subject>) => {
  const holdUrl = grounds.holdUrl();
  subjects.push({ subject: stack.use(await make(holdUrl)), holdUrl });
};
for (const name of grounds.names) {
  const [server = 0] = grounds.servers(name);
  if (name === "jobrunner, PGlite") await add(embeddedDaemon);
  else if (name === "jobrunner, PostgreSQL") {
    const databaseUrl = await grounds.databaseUrl();
    await add((holdUrl) => twoDaemons(databaseUrl, holdUrl, server));
  } else await add((holdUrl) => standSubject(grounds, name, holdUrl));
}
await delay(idleSeconds * 1_000);

/** Milliseconds from the kill until both runs go on; undefined where they do not within the patience. */
async function recovery({ subject, holdUrl }: (typeof subjects)[number]): Promise<number | undefined> {
  if (subject.loseAndReplace === undefined) return undefined;
  await subject.prepare?.();
  const start = performance.now();
  const both = grounds.arrivals(holdUrl, 2);
  await subject.loseAndReplace();
  const late = new AbortController();
  const patience = delay(patienceSeconds * 1_000, undefined, { signal: late.signal }).catch(() => undefined);
  const came = await Promise.race([both.then(() => true), patience.then(() => false)]);
  late.abort();
  return came ? performance.now() - start : undefined;
}

const idle = new Map(subjects.map(({ subject }) => [subject.name, memoryOf(subject.pids())]));
const live = new Map<string, Memory>();
for (const { subject, holdUrl } of subjects) {
  const arrived = grounds.arrivals(holdUrl, 2);
  await subject.hold();
  await subject.hold();
  await arrived;
}
for (const { subject } of subjects) live.set(subject.name, memoryOf(subject.pids()));
// Ours first and alone, since starts are work; the others mostly wait.
const times = new Map<string, number | undefined>();
const [mine, theirs] = [
  subjects.filter(({ subject }) => subject.name.startsWith("jobrunner")),
  subjects.filter(({ subject }) => !subject.name.startsWith("jobrunner")),
];
for (const each of mine) times.set(each.subject.name, await recovery(each));
await Promise.all(theirs.map(async (each) => void times.set(each.subject.name, await recovery(each))));
grounds.letGo();

const memory = (found: Memory | undefined) =>
  found === undefined ? "" : `${found.ownMb.toFixed(0)} MB (${found.rssMb.toFixed(0)} MB)`;
printTable(
  ["", "memory idle (RSS added up)", "memory with two runs (RSS added up)", "kill -9 → both runs go on", "why"],
  subjects.map(({ subject: { name, limits, loseAndReplace } }) => {
    const ms = times.get(name);
    const never = loseAndReplace === undefined ? "never" : `not within ${patienceSeconds} s`;
    const time = ms === undefined ? never : `${(ms / 1_000).toFixed(1)} s`;
    return [name, memory(idle.get(name)), memory(live.get(name)), time, limits];
  }),
);
printBar(
  "memory of everything, idle, embedded",
  idle.get("jobrunner, PGlite")?.ownMb ?? Number.NaN,
  450,
  " MB",
  "at most",
);
const elsewhere = times.get("jobrunner, PostgreSQL") ?? Number.NaN;
printBar("machine lost -> its runs go on elsewhere", elsewhere / 1_000, 8, " s", "at most");
