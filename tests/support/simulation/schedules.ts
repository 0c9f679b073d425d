import type { FrozenSchedule } from "../../../server/jobs/manifest.ts";
import type { Random } from "../random.ts";
import { testSchedule } from "../runs.ts";

/** Zones with clocks of every kind: none that change, halves of hours, changes at midnight and over it, twice more for Ramadan. */
const zones = [
  ...["UTC", "Asia/Seoul", "Asia/Kolkata", "Europe/Berlin", "Europe/London", "America/New_York", "America/Los_Angeles"],
  ...["America/Sao_Paulo", "America/Santiago", "America/Nuuk", "America/St_Johns", "America/Havana", "Africa/Cairo"],
  ...["Africa/Casablanca", "Asia/Beirut", "Asia/Gaza", "Australia/Sydney", "Australia/Lord_Howe", "Pacific/Chatham"],
  ...["Pacific/Easter", "Atlantic/Azores", "Antarctica/Troll"],
];

/** A cron expression at random; times lie on a coarse grid, so that several schedules meet at one moment. */
function randomCron(random: Random): string {
  const minute = random.pick([0, 0, 0, 15, 30, 30, 45]);
  const hour = random.chance(0.5) ? random.whole(0, 3) : random.whole(4, 23);
  const day = random.whole(1, 28);
  const at = `${minute} ${hour}`;
  const kinds: readonly (readonly [number, () => string])[] = [
    [25, () => `${at} * * *`],
    [10, () => `${at} * * 1-5`],
    [20, () => `${at} * * ${random.pick(["MON", "TUE,SAT", "5#2", "SUN", "0,3", "6L"])}`],
    [15, () => `${at} ${random.pick([`${day}`, "L", "15W", "1,15", "31"])} * *`],
    [8, () => `${minute} ${hour},${(hour + 11) % 24} */3 * *`],
    [6, () => `${minute} */4 ${day} * *`],
    [6, () => `*/20 ${hour} ${day} * *`],
    [5, () => `${minute} * * ${random.whole(1, 12)} ${random.pick(["SAT", "SUN"])}`],
    [3, () => `*/15 * 24-31 ${random.pick([3, 4, 10])} SUN`],
    [2, () => `*/20 ${minute} ${hour} ${day} * *`],
  ];
  let dice = random.next() * kinds.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, make] of kinds) {
    dice -= weight;
    if (dice < 0) return make();
  }
  return `${at} * * *`;
}

/** A schedule at random in all that decides about its slots. */
export function randomSchedule(random: Random): FrozenSchedule {
  return testSchedule({
    cron: randomCron(random),
    timezone: random.pick(zones),
    catchUp: random.pick(["none", "latest", "all"]),
    catchUpMax: random.pick([1, 3, 10]),
    overlap: random.pick(["skip", "queue", "replace", "allow"]),
    startDeadlineMs: random.chance(0.3) ? random.pick([60_000, 3_600_000]) : null,
  });
}
