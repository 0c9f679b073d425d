import { expect, test } from "vitest";
import { readReferenceCron } from "../../tests/support/reference-cron.ts";
import { referenceSlots } from "../../tests/support/reference-slots.ts";
import { type ClockChange, findZoneClock, wallReader, type ZoneClock } from "../../tests/support/zone-clock.ts";
import { nextSlots } from "./schedule-words.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const begin = Date.UTC(2026, 0, 1);
const end = Date.UTC(2028, 0, 1);

/** Links to other zones, which `supportedValuesOf` leaves out. */
const links = ["UTC", "GMT", "Etc/GMT+9", "Etc/GMT-14", "US/Eastern", "US/Pacific", "Asia/Calcutta", "Asia/Kolkata"];
const moreLinks = ["Europe/Kyiv", "America/Nuuk", "GB", "NZ", "CET", "EST5EDT", "Asia/Ho_Chi_Minh", "Egypt", "Israel"];
const zones = [...new Set([...Intl.supportedValuesOf("timeZone"), ...links, ...moreLinks])];

/** Compared from two days before a change of the clocks to two after it. */
const days = [
  "@daily",
  "30 1 * * *",
  "30 2 * * *",
  "59 2 * * *",
  "0 3 * * *",
  "30 23 * * *",
  "15 0 * * *",
  "0 8 * * 1-5",
  "30 2,14 * * *",
  "0,20,40 0,1,2,23 * * *",
  "15 30 2 * * *",
  "30 */3 * * SAT,SUN",
];
/** Compared from six hours before it to six after it. */
const hours = ["0 0-5 * * *", "@hourly", "0 */2 * * *", "*/15 * * * *", "7-50/20 * * * *", "*/20 0-3,22,23 * * *"];
/** Compared for two minutes around each edge of what is skipped or comes twice. */
const seconds = ["*/10 * * * * *", "5,50 * * * * *", "20 */2 * * * *"];

type Around = Readonly<{
  crons: readonly string[];
  windows(change: ClockChange): readonly (readonly [number, number])[];
}>;

const around: readonly Around[] = [
  { crons: days, windows: ({ at }) => [[at - 2 * dayMs, at + 2 * dayMs]] },
  { crons: hours, windows: ({ at }) => [[at - 6 * hourMs, at + 6 * hourMs]] },
  {
    crons: seconds,
    windows: ({ at, before, after }) => {
      const shift = Math.abs(after - before);
      return [at - shift, at, at + shift].map((edge) => [edge - 2 * 60_000, edge + 2 * 60_000]);
    },
  },
];

/** What the reference says, known by the change and the schedule: many zones change alike. */
const answers = new Map<string, readonly number[]>();

function expected(cron: string, { wallAt }: ZoneClock, change: ClockChange, from: number, to: number) {
  const key = `${cron} ${change.at} ${change.before} ${change.after} ${from}`;
  const slots = answers.get(key) ?? referenceSlots(readReferenceCron(cron), wallAt, { from, to });
  answers.set(key, slots);
  return slots;
}

/** The slots from `from` up to `to`, asked for in one go. */
function actual(cron: string, timezone: string, from: number, to: number): number[] {
  const slots: number[] = [];
  for (let after = from - 1; ; ) {
    const next = nextSlots({ cron, timezone }, new Date(after), 12).map((slot) => slot.getTime());
    slots.push(...next.filter((slot) => slot <= to));
    after = next.at(-1) ?? Number.POSITIVE_INFINITY;
    if (after > to) return slots;
  }
}

const iso = (slots: readonly number[]) => slots.map((slot) => new Date(slot).toISOString());

const clocks = new Map(zones.map((zone) => [zone, findZoneClock(zone, begin - dayMs, end + dayMs)]));

test("there are zones and changes to look at, and the reference reads clocks as Intl does", () => {
  const changes = [...clocks.values()].flatMap((clock) => clock.changes);
  expect(zones.length).toBeGreaterThan(400);
  expect(changes.length).toBeGreaterThan(500);
  expect(changes.filter(({ at }) => at % 60_000 !== 0)).toEqual([]);
  const misread = [...clocks].filter(([zone, clock]) => {
    const wallAt = wallReader(zone);
    const near = clock.changes.flatMap(({ at }) => Array.from({ length: 36 }, (_, i) => at + (i - 18) * 10 * 60_000));
    const far = Array.from({ length: 24 }, (_, month) => Date.UTC(2026, month, 15, 12));
    return [...near, ...far].some((instant) => wallAt(instant) !== clock.wallAt(instant));
  });
  expect(misread).toEqual([]);
});

test("in every zone, around every change of its clocks in two years, slots are those of the reference", {
  timeout: 300_000,
}, () => {
  const wrong: string[] = [];
  for (const [zone, clock] of clocks) {
    for (const change of clock.changes) {
      for (const { crons, windows } of around) {
        for (const cron of crons) {
          for (const [from, to] of windows(change)) {
            const want = expected(cron, clock, change, from, to);
            const got = actual(cron, zone, from, to);
            if (want.join() !== got.join()) wrong.push(`${zone}, ${cron}: ${iso(got)} instead of ${iso(want)}`);
          }
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});

test("wherever one starts to look, within what comes twice or beside what is skipped, the next slot is the same", () => {
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const [zone, clock] of clocks) {
    for (const change of clock.changes) {
      const kind = `${change.at} ${change.before} ${change.after}`;
      if (seen.has(kind)) continue;
      seen.add(kind);
      const shift = Math.abs(change.after - change.before);
      const starts = [-shift - 1, -shift, 1_000 - shift, -shift / 2, -1, 0, 1, shift / 2 + 1, shift - 1, shift];
      for (const cron of [...days, ...hours, ...seconds]) {
        const slots = expected(cron, clock, change, change.at - 2 * hourMs, change.at + 4 * hourMs);
        for (const start of starts.map((ms) => change.at + Math.round(ms))) {
          const want = slots.find((slot) => slot > start);
          const got = nextSlots({ cron, timezone: zone }, new Date(start), 1)[0]?.getTime();
          const same = want === undefined ? (got ?? 0) > change.at + 4 * hourMs : got === want;
          if (!same)
            wrong.push(`${zone}, ${cron} after ${iso([start])}: ${iso([got ?? 0])} instead of ${iso([want ?? 0])}`);
        }
      }
    }
  }
  expect(seen.size).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});

test.each(zones.filter((zone) => clocks.get(zone)?.changes.length === 0))(
  "%s, whose clocks stay as they are",
  (zone) => {
    const from = Date.UTC(2026, 2, 27);
    const wallAt = clocks.get(zone)?.wallAt ?? wallReader(zone);
    for (const cron of ["30 2 * * *", "0 */6 * * MON-SAT", "45 23 28-31 * *"]) {
      const want = referenceSlots(readReferenceCron(cron), wallAt, { from, to: from + 8 * dayMs });
      expect(iso(actual(cron, zone, from, from + 8 * dayMs))).toEqual(iso(want));
    }
  },
);

/** Forms of days and months. */
const dayForms = [
  "0 9 L * *",
  "0 9 LW * *",
  "0 9 1W * *",
  "0 9 15W,20 * *",
  "0 9 30W * *",
  "0 9 1,15,L * *",
  "0 9 29 2 *",
  "0 9 31 * *",
  "30 2 */7 * *",
  "0 0 13 * 5",
  "0 0 13 * +FRI",
  "0 9 * * FRI#2",
  "0 9 * * 5L",
  "0 9 * * MON#L",
  "0 9 * * 1#1,3#5",
  "0 9 * * 7",
  "30 23 * * 5-7",
  "0 9 10-20/3 JAN,JUL-SEP *",
  "0 */8 L 2,3,10 *",
  "@weekly",
  "@monthly",
  "@yearly",
];

test.each(["UTC", "America/Nuuk", "Africa/Cairo"])(
  "in %s every form of days gives the days of the reference",
  (zone) => {
    // The minute is part of every expression, and half hours are as fine as these are.
    const wallAt = clocks.get(zone)?.wallAt ?? wallReader(zone);
    for (const cron of dayForms) {
      const want = referenceSlots(readReferenceCron(cron), wallAt, { from: begin, to: end, tick: 30 * 60_000 });
      expect([cron, ...iso(actual(cron, zone, begin, end))]).toEqual([cron, ...iso(want)]);
    }
  },
);
