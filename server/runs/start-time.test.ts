import { expect, test } from "vitest";
import { parseStartTime } from "./start-time.ts";

const now = new Date("2026-11-01T00:00:00Z");
const read = (asked: { at?: string; in?: string }, timezone = "UTC") => {
  try {
    const start = parseStartTime(asked, { timezone, now });
    return start === undefined ? "now" : "at" in start ? start.at.toISOString() : start.inMs;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : "";
  }
};

test.each([
  ["the zone's wall time", { at: "2026-12-01T08:00" }, "Asia/Seoul", "2026-11-30T23:00:00.000Z"],
  ["seconds, and a blank", { at: "2026-12-01 08:00:30" }, "UTC", "2026-12-01T08:00:30.000Z"],
  ["a zone of its own", { at: "2026-12-01T08:00+02:00" }, "Asia/Seoul", "2026-12-01T06:00:00.000Z"],
  ["UTC", { at: "2026-12-01T08:00:00.500Z" }, "Asia/Seoul", "2026-12-01T08:00:00.500Z"],
  ["a time that clocks skip", { at: "2027-03-28T02:30" }, "Europe/Berlin", "2027-03-28T01:30:00.000Z"],
  ["a duration", { in: "2h" }, "UTC", 7_200_000],
  ["neither", {}, "UTC", "now"],
] as const)("a run's time: %s", (_, asked, timezone, expected) => {
  expect(read(asked, timezone)).toBe(expected);
});

test.each([
  [{ at: "2026-10-31T23:59" }, "has passed"],
  [{ at: "2027-02-30T08:00" }, "no time"],
  [{ at: "2026-12-01T25:00Z" }, "no time"],
  [{ at: "tomorrow" }, "no time"],
  [{ at: "2028-01-01T00:00" }, "a year ahead"],
  [{ in: "400d" }, "a year ahead"],
  [{ in: "soon" }, "no duration"],
  [{ at: "2026-12-01T08:00", in: "2h" }, "either"],
] as const)("no time of a run: %j", (asked, message) => {
  expect(read(asked)).toContain(message);
});
