import { Cron, CronPattern } from "croner";
import { joinWords, progression, timeWords } from "./time-words.ts";
import { wallClock } from "./wall-clock.ts";

const cronOptions = { mode: "5-or-6-parts", fixedTimeRule: "no-wildcard" } as const;

export type CronSpec = Readonly<{ cron: string; timezone: string }>;

const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/** croner keeps, for each weekday, the bits of its occurrences within the month: 1 to 5, and the last. */
const everyOccurrence = 63;
const lastOccurrence = 32;
const occurrences = [
  [1, "the first"],
  [2, "the second"],
  [4, "the third"],
  [8, "the fourth"],
  [16, "the fifth"],
  [lastOccurrence, "the last"],
] as const;

/**
 * The next `count` slots strictly after `from`; fewer where the schedule ends. The one place that computes slots. Of fixed times
 * (no `*` and no step in seconds, minutes and hours) one that clocks skip fires at the moment of the change, and one that comes
 * twice fires the first time. Any other schedule follows the clock on the wall. Throws what croner throws for a schedule that
 * `checkCron` would refuse.
 */
export function nextSlots({ cron, timezone }: CronSpec, from: Date, count: number): Date[] {
  if (new CronPattern(cron, undefined, cronOptions).isFixedTime) return fixedSlots({ cron, timezone }, from, count);
  return new Cron(cron, { ...cronOptions, timezone, paused: true }).nextRuns(count, from);
}

/** Croner itself drops a time that was skipped where the clocks jump to the next day, as Greenland's do. */
function fixedSlots({ cron, timezone }: CronSpec, from: Date, count: number): Date[] {
  const clock = wallClock(timezone);
  const start = new Date(clock.wallAt(from.getTime()));
  const slots: Date[] = [];
  let last = from.getTime();
  for (const wall of new Cron(cron, { ...cronOptions, utcOffset: 0, paused: true }).enumerate(start)) {
    if (slots.length >= count) break;
    const slot = clock.firstInstantOf(wall.getTime());
    // Times that are skipped together fire together, and at the second showing of a time its slot is in the past.
    if (slot <= last) continue;
    slots.push(new Date(slot));
    last = slot;
  }
  return slots;
}

/** A cron expression in plain words, without its time zone: `at 08:00, Monday through Friday`. */
export function scheduleInWords({ cron }: Pick<CronSpec, "cron">): string {
  const pattern = new CronPattern(cron, undefined, cronOptions);
  const time = timeWords(chosen(pattern.second), chosen(pattern.minute), chosen(pattern.hour));
  const day = dayWords(pattern);
  const month = monthWords(chosen(pattern.month));
  return [time.words, day === "" && time.daily && month === "" ? "every day" : day, month]
    .filter((part) => part !== "")
    .join(", ");
}

function dayWords(pattern: CronPattern): string {
  const ofMonth = pattern.starDOM ? "" : dayOfMonthWords(pattern);
  const ofWeek = pattern.starDOW ? "" : dayOfWeekWords(pattern.dayOfWeek);
  if (ofMonth === "" || ofWeek === "") return ofMonth || ofWeek;
  // Standard cron: with both day fields set, a day that fits either one counts. croner's "+" asks for both.
  if (pattern.useAndLogic)
    return `${ofMonth}, but only when that is ${ofWeek.replace(/^on (every )?/, "")} (both must match)`;
  return `${ofMonth} and also ${ofWeek} (a day that matches either counts, not only one that matches both)`;
}

function dayOfMonthWords({ day, lastDayOfMonth, lastWeekday, nearestWeekdays }: CronPattern): string {
  const days = chosen(day).map((index) => index + 1);
  const step = progression(days, 1, 31);
  const plain =
    days.length === 0
      ? []
      : step !== undefined && step > 1
        ? [`every ${step} days from day 1 of the month (the count starts again each month)`]
        : [`${days.length > 1 ? "days" : "day"} ${numbers(days)} of the month`];
  const nearest = chosen(nearestWeekdays).map((index) => `the weekday nearest to day ${index + 1} of the month`);
  const last = [
    ...(lastDayOfMonth ? ["the last day of the month"] : []),
    ...(lastWeekday ? ["the last weekday of the month"] : []),
  ];
  const parts = [...plain, ...nearest, ...last];
  return parts.length === 1 && step !== undefined && step > 1 ? joinWords(parts) : `on ${joinWords(parts)}`;
}

function dayOfWeekWords(dayOfWeek: readonly number[]): string {
  const whole = weekdays.flatMap((_, index) => (dayOfWeek[index] === everyOccurrence ? [index] : []));
  const nth = weekdays.flatMap((name, index) => {
    const bits = dayOfWeek[index] ?? 0;
    if (bits === everyOccurrence) return [];
    return occurrences.flatMap(([bit, word]) => ((bits & bit) === 0 ? [] : [`${word} ${name} of the month`]));
  });
  const days =
    whole.length === 0 ? [] : whole.length === 7 ? ["every day of the week"] : [namedList(whole, weekdays, "every ")];
  return `on ${joinWords([...days, ...nth])}`;
}

function monthWords(chosenMonths: readonly number[]): string {
  return chosenMonths.length === 12 ? "" : `in ${namedList(chosenMonths, months, "")}`;
}

/** Names of three or more in a row become a range; a single one gets `one` before it. */
function namedList(indexes: readonly number[], names: readonly string[], one: string): string {
  const first = indexes[0] ?? 0;
  const last = indexes.at(-1) ?? 0;
  const inRow = indexes.length > 2 && last - first === indexes.length - 1;
  if (inRow) return `${names[first]} through ${names[last]}`;
  return `${indexes.length === 1 ? one : ""}${joinWords(indexes.map((index) => names[index] ?? ""))}`;
}

function numbers(values: readonly number[]): string {
  const first = values[0] ?? 0;
  const last = values.at(-1) ?? 0;
  if (values.length > 2 && last - first === values.length - 1) return `${first} through ${last}`;
  return joinWords(values.map(String));
}

function chosen(field: readonly number[]): number[] {
  return field.flatMap((on, index) => (on === 0 ? [] : [index]));
}
