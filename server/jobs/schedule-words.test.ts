import { describe, expect, test } from "vitest";
import { checkCron, findTimezone } from "./check-cron.ts";
import { nextSlots, scheduleInWords } from "./schedule-words.ts";

const now = new Date("2026-11-01T00:00:00Z");

describe("scheduleInWords", () => {
  test.each([
    ["0 8 * * 1-5", "at 08:00, on Monday through Friday"],
    ["0 8 * * *", "at 08:00, every day"],
    ["@daily", "at 00:00, every day"],
    ["30 8,12,18 * * *", "at 08:30, 12:30 and 18:30, every day"],
    ["* * * * *", "every minute"],
    ["* * * * * *", "every second"],
    ["*/10 * * * * *", "every 10 seconds"],
    ["15 0 8 * * *", "at 08:00:15, every day"],
    ["*/15 * * * *", "every 15 minutes"],
    ["*/7 * * * *", "every 7 minutes (the count starts again each hour)"],
    ["0 * * * *", "every hour, on the hour"],
    ["5 * * * *", "every hour, at minute 5"],
    ["0 */2 * * *", "every 2 hours from midnight"],
    ["20 */5 * * *", "every 5 hours from midnight (the count starts again each day), at minute 20"],
    ["0 9-17 * * *", "every hour, on the hour, from 09:00 to 17:00"],
    ["0 7,9,11,13,17,19 * * *", "at 07:00, 09:00, 11:00, 13:00, 17:00 and 19:00, every day"],
    ["*/10 9-17 * * MON-FRI", "every 10 minutes, from 09:00 to 17:50, on Monday through Friday"],
    ["0 9 1 * *", "at 09:00, on day 1 of the month"],
    ["0 9 1,15 * *", "at 09:00, on days 1 and 15 of the month"],
    ["0 9 L * *", "at 09:00, on the last day of the month"],
    ["0 9 LW * *", "at 09:00, on the last weekday of the month"],
    ["0 9 15W * *", "at 09:00, on the weekday nearest to day 15 of the month"],
    ["0 9 * * FRI#2", "at 09:00, on the second Friday of the month"],
    ["0 9 * * 5L", "at 09:00, on the last Friday of the month"],
    ["0 9 * * 7", "at 09:00, on every Sunday"],
    ["0 9 * JAN,JUL sun", "at 09:00, on every Sunday, in January and July"],
    ["0 9 1 1-3 *", "at 09:00, on day 1 of the month, in January through March"],
    [
      "0 0 13 * 5",
      "at 00:00, on day 13 of the month and also on every Friday (a day that matches either counts, not only one that matches both)",
    ],
    ["0 0 13 * +5", "at 00:00, on day 13 of the month, but only when that is Friday (both must match)"],
    ["0 0 */2 * *", "at 00:00, every 2 days from day 1 of the month (the count starts again each month)"],
  ])("%s", (cron, words) => {
    expect(scheduleInWords({ cron })).toBe(words);
  });
});

describe("nextSlots", () => {
  test("gives slots strictly after the given time, in the zone of the schedule", () => {
    const slots = nextSlots({ cron: "0 8 * * *", timezone: "Asia/Seoul" }, new Date("2026-10-31T23:00:00Z"), 2);
    expect(slots.map((slot) => slot.toISOString())).toEqual(["2026-11-01T23:00:00.000Z", "2026-11-02T23:00:00.000Z"]);
  });

  test("with both day fields set a day that matches either counts, as the words say", () => {
    const slots = nextSlots({ cron: "0 0 13 * 5", timezone: "UTC" }, new Date("2026-12-10T00:00:00Z"), 4);
    expect(slots.map((slot) => slot.toISOString().slice(0, 10))).toEqual([
      "2026-12-11",
      "2026-12-13",
      "2026-12-18",
      "2026-12-25",
    ]);
  });

  test("loses no day when clocks spring forward and doubles none when they fall back", () => {
    const spec = { cron: "30 2 * * *", timezone: "Europe/Berlin" };
    const spring = nextSlots(spec, new Date("2026-03-28T02:00:00Z"), 2);
    expect(spring.map((slot) => slot.toISOString())).toEqual(["2026-03-29T01:00:00.000Z", "2026-03-30T00:30:00.000Z"]);
    const autumn = nextSlots(spec, new Date("2026-10-24T01:00:00Z"), 2);
    expect(autumn.map((slot) => slot.toISOString())).toEqual(["2026-10-25T00:30:00.000Z", "2026-10-26T01:30:00.000Z"]);
  });
});

describe("checkCron", () => {
  test.each([
    ["0 0 30 2 *", /never fires/],
    ["0 0 31 4 *", /never fires/],
    ["61 * * * *", /no cron expression: Invalid value for minute: 61/],
    ["hourly", /no cron expression/],
    ["0 0 8 * * * 2030", /no cron expression/],
    ["@reboot", /no cron expression/],
    ["", /no cron expression/],
  ])("refuses %s", (cron, message) => {
    const checked = checkCron(cron, now);
    expect(checked).toMatchObject({ ok: false, message: expect.stringMatching(message), hint: expect.any(String) });
  });

  test("accepts 29 February and puts single spaces", () => {
    expect(checkCron(" 0  0 29 2 * ", now)).toEqual({ ok: true, cron: "0 0 29 2 *" });
  });

  test("knows zones, and no offsets", () => {
    expect(findTimezone("asia/seoul")).toBe("Asia/Seoul");
    expect(findTimezone("Nope/Zone")).toBeUndefined();
    expect(findTimezone("+09:00")).toBeUndefined();
  });
});
