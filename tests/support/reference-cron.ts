/** A cron expression read anew from docs/writing-jobs.md, so that the product's library is not its own witness. */
export type ReferenceCron = Readonly<{
  /** Whether it fires when the clock on the wall shows this: milliseconds as if the wall were in UTC. */
  matches(wallMs: number): boolean;
  /** Neither `*` nor a step in seconds, minutes and hours. */
  fixed: boolean;
  /** Whether the second is always 0, so that looking at whole minutes is enough. */
  wholeMinutes: boolean;
}>;

const dayMs = 86_400_000;
const nicknames: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@hourly": "0 * * * *",
};
const monthNames = ["", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const dayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** Reads five fields, or six with seconds first. For expressions that are known to be right: it refuses little. */
export function readReferenceCron(written: string): ReferenceCron {
  const fields = (nicknames[written] ?? written).replaceAll("?", "*").toUpperCase().split(" ");
  const [second = "", minute = "", hour = "", dayOfMonth = "", month = "", dayOfWeek = ""] =
    fields.length === 5 ? ["0", ...fields] : fields;
  const seconds = numbers(second, 0, 59);
  const minutes = numbers(minute, 0, 59);
  const hours = numbers(hour, 0, 23);
  const months = numbers(month, 1, 12, monthNames);
  const days = new Map<number, boolean>();

  function fitsDay(wall: Date): boolean {
    if (!months.has(wall.getUTCMonth() + 1)) return false;
    const ofMonth = fitsDayOfMonth(dayOfMonth, wall);
    const ofWeek = fitsDayOfWeek(dayOfWeek.replace(/^\+/, ""), wall);
    if (dayOfMonth === "*" || dayOfWeek === "*" || dayOfWeek.startsWith("+")) return ofMonth && ofWeek;
    return ofMonth || ofWeek;
  }

  return {
    matches(wallMs) {
      const second = Math.floor(wallMs / 1_000);
      if (!minutes.has(Math.floor(second / 60) % 60) || !seconds.has(second % 60)) return false;
      if (!hours.has(Math.floor(second / 3_600) % 24)) return false;
      const day = Math.floor(wallMs / dayMs);
      const known = days.get(day) ?? fitsDay(new Date(wallMs));
      days.set(day, known);
      return known;
    },
    fixed: !/[*/]/.test(`${second} ${minute} ${hour}`),
    wholeMinutes: second === "0",
  };
}

function numbers(field: string, low: number, high: number, names: readonly string[] = []): Set<number> {
  const value = (text: string) => (names.includes(text) ? names.indexOf(text) : Number(text));
  const chosen = new Set<number>();
  for (const part of field.split(",")) {
    const [range = "", step = "1"] = part.split("/");
    const [first = "", last = first] = range === "*" ? [`${low}`, `${high}`] : range.split("-");
    for (let each = value(first); each <= value(last); each += Number(step)) chosen.add(each);
  }
  return chosen;
}

function fitsDayOfMonth(field: string, wall: Date): boolean {
  const today = wall.getUTCDate();
  return field.split(",").some((part) => {
    if (part === "L") return today === lastDay(wall);
    if (part === "LW") return today === nearestWeekday(wall, lastDay(wall));
    if (part.endsWith("W")) return today === nearestWeekday(wall, Number(part.slice(0, -1)));
    return numbers(part, 1, 31).has(today);
  });
}

function fitsDayOfWeek(field: string, wall: Date): boolean {
  const today = wall.getUTCDate();
  return field.split(",").some((part) => {
    const [, days = "", occurrence = ""] = /^(.+?)(?:#(\d|L)|(?<=\d)(L))?$/.exec(part.replace(/(\d)L$/, "$1#L")) ?? [];
    const chosen = numbers(days, 0, 6, dayNames);
    if (!chosen.has(wall.getUTCDay()) && !(wall.getUTCDay() === 0 && chosen.has(7))) return false;
    if (occurrence === "") return true;
    return occurrence === "L" ? today + 7 > lastDay(wall) : Math.ceil(today / 7) === Number(occurrence);
  });
}

function lastDay(wall: Date): number {
  return new Date(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + 1, 0)).getUTCDate();
}

/** The weekday of the same month that is nearest to a day. */
function nearestWeekday(wall: Date, day: number): number {
  const weekday = new Date(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth(), day)).getUTCDay();
  if (weekday === 6) return day === 1 ? 3 : day - 1;
  if (weekday === 0) return day === lastDay(wall) ? day - 2 : day + 1;
  return day;
}
