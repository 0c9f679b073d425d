/** The time of day of a schedule, from the seconds, minutes and hours at which it fires. `daily` tells that words for the day may follow. */
export function timeWords(
  seconds: readonly number[],
  minutes: readonly number[],
  hours: readonly number[],
): { words: string; daily: boolean } {
  const times = seconds.length * minutes.length * hours.length;
  const scattered = minutes.length * seconds.length === 1 && !inRow(hours) && progression(hours, 0, 23) === undefined;
  if (times <= 4 || scattered) return { words: `at ${joinWords(clockTimes(seconds, minutes, hours))}`, daily: true };
  const onTheMinute = seconds.length === 1 && seconds[0] === 0;
  const parts = [
    ...(onTheMinute ? [] : [unitWords(seconds, "second", 60)]),
    ...(minutes.length === 60 && !onTheMinute ? [] : [minuteWords(minutes, hours, onTheMinute)]),
    ...(hours.length === 24 ? [] : [hourWords(hours, minutes)]),
  ].filter((part) => part !== "");
  return { words: parts.join(", "), daily: false };
}

/** The step of values that go from `low` (or above) to the end of the range in equal steps; undefined for anything else. */
export function progression(values: readonly number[], low: number, high: number): number | undefined {
  const [first, second] = values;
  if (first !== low || second === undefined || values.length < 3) return undefined;
  const step = second - first;
  const last = values.at(-1) ?? 0;
  return values.every((value, index) => value === low + index * step) && last + step > high ? step : undefined;
}

/** `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** Whether there are two or more, each one more than the one before. */
function inRow(values: readonly number[]): boolean {
  return values.length > 1 && (values.at(-1) ?? 0) - (values[0] ?? 0) === values.length - 1;
}

function clockTimes(seconds: readonly number[], minutes: readonly number[], hours: readonly number[]): string[] {
  const withSeconds = seconds.some((second) => second !== 0);
  return hours.flatMap((hour) =>
    minutes.flatMap((minute) =>
      seconds.map((second) => [hour, minute, ...(withSeconds ? [second] : [])].map(twoDigits).join(":")),
    ),
  );
}

function minuteWords(minutes: readonly number[], hours: readonly number[], onTheMinute: boolean): string {
  const [only] = minutes;
  if (minutes.length > 1 || only === undefined) return unitWords(minutes, "minute", 60);
  if (hours.length < 24) {
    const step = progression(hours, 0, 23);
    const every =
      step === undefined
        ? ""
        : `every ${step} hours from midnight${24 % step === 0 ? "" : " (the count starts again each day)"}`;
    if (every !== "") return only === 0 && onTheMinute ? every : `${every}, at minute ${only}`;
  }
  if (only === 0) return onTheMinute ? "every hour, on the hour" : "in the first minute of every hour";
  return `every hour, at minute ${only}`;
}

function hourWords(hours: readonly number[], minutes: readonly number[]): string {
  if (minutes.length === 1 && progression(hours, 0, 23) !== undefined) return "";
  const first = hours[0] ?? 0;
  const last = hours.at(-1) ?? 0;
  const lastMinute = minutes.at(-1) ?? 0;
  if (inRow(hours)) {
    return `from ${twoDigits(first)}:${twoDigits(minutes[0] ?? 0)} to ${twoDigits(last)}:${twoDigits(lastMinute)}`;
  }
  const step = progression(hours, 0, 23);
  if (step !== undefined) return `in every ${ordinal(step)} hour from midnight`;
  return `in the ${hours.length > 1 ? "hours" : "hour"} from ${joinWords(hours.map((hour) => `${twoDigits(hour)}:00`))}`;
}

function unitWords(values: readonly number[], unit: "second" | "minute", size: number): string {
  if (values.length === size) return `every ${unit}`;
  const step = progression(values, 0, size - 1);
  const outer = unit === "second" ? "minute" : "hour";
  if (step !== undefined)
    return `every ${step} ${unit}s${size % step === 0 ? "" : ` (the count starts again each ${outer})`}`;
  const first = values[0] ?? 0;
  const last = values.at(-1) ?? 0;
  const listed = values.length > 2 && inRow(values) ? `${first} through ${last}` : joinWords(values.map(String));
  return `at ${unit}${values.length > 1 ? "s" : ""} ${listed}`;
}

function ordinal(n: number): string {
  return n === 2 ? "second" : n === 3 ? "third" : `${n}th`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
