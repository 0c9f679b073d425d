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

/** Compared from two days before a change of the clocks to three after it. */
const days = [
  "0 0 * * *",
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
  "0 0-5 * * *",
  "15 30 2 * * *",
  "0 */2 * * *",
  "30 */3 * * SAT,SUN",
  "@hourly",
  "45 * * * *",
];
/** Compared from six hours before it to six after it. */
const hours = ["*/15 * * * *", "7-50/10 * * * *", "*/20 0-3,22,23 * * *", "5,35 * * * SUN"];
/** Compared for ten minutes around each edge of what is skipped or comes twice. */
const seconds = ["*/10 * * * * *", "5,50 * * * * *", "20 */7 * * * *"];

type Around = Readonly<{ crons: readonly string[]; windows(change: ClockChange): readonly (readonly [number, number])[] }>;

const around: readonly Around[] = [
  { crons: days, windows: ({ at }) => [[at - 2 * dayMs, at + 3 * dayMs]] },
  { crons: hours, windows: ({ at }) => [[at - 6 * hourMs, at + 6 * hourMs]] },
  {
    crons: seconds,
    windows: ({ at, before, after }) => {
      const shift = Math.abs(after - before);
      return [at - shift, at, at + shift].map((edge) => [edge - 10 * 60_000, edge + 10 * 60_000]);
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
    const next = nextSlots({ cron, timezone }, new Date(after), 40).map((slot) => slot.getTime());
    slots.push(...next.filter((slot) => slot <= to));
    after = next.at(-1) ?? Number.POSITIVE_INFINITY;
    if (after > to) return slots;
  }
}

const iso = (slots: readonly number[]) => slots.map((slot) => new Date(slot).toISOString());

test("there are zones and changes to look at", () => {
  const changes = zones.flatMap((zone) => findZoneClock(zone, begin, end).changes);
  expect(zones.length).toBeGreaterThan(400);
  expect(changes.length).toBeGreaterThan(600);
  expect(changes.every(({ at }) => at % 60_000 === 0)).toBe(true);
});

test("in every zone, around every change of clocks of two years, slots are those of the reference", () => {
  const wrong: string[] = [];
  for (const zone of zones) {
    const clock = findZoneClock(zone, begin - dayMs, end + dayMs);
    const wallAt = wallReader(zone);
    for (const change of clock.changes) {
      for (let t = change.at - 3 * hourMs; t < change.at + 3 * hourMs; t += 5 * 60_000) {
        if (wallAt(t) !== clock.wallAt(t)) throw new Error(`the clock of ${zone} was read wrongly at ${t}`);
      }
      for (const { crons, windows } of around) {
        for (const cron of crons) {
          for (const [from, to] of windows(change)) {
            const want = iso(expected(cron, clock, change, from, to));
            const got = iso(actual(cron, zone, from, to));
            if (want.join() !== got.join()) wrong.push(`${zone} ${cron} from ${iso([from])}: ${got} instead of ${want}`);
          }
        }
      }
    }
  }
  console.log(wrong.length);
  expect(wrong.slice(0, 20)).toEqual([]);
}, 300_000);
