import { guestNow } from "./clock.ts";
import { host } from "./host.ts";
import { inspect } from "./inspect.ts";
import { sliceText } from "./primordials.ts";
import { breachLimit, isOver } from "./run-state.ts";

type Level = "debug" | "info" | "warn" | "error";

/** Longest line kept whole. */
const maxLine = 64_000;

let lines = 0;
let left = 0;
let total = 0;

export function openLog(bytes: number): void {
  left = bytes;
  total = bytes;
}

/** Each line counts at least 16, so that empty lines are bounded too. Characters stand for bytes here: cheap and close. */
function write(level: Level, values: unknown[]): void {
  if (isOver()) return;
  let text = "";
  for (let i = 0; i < values.length; i++) {
    text += `${i === 0 ? "" : " "}${inspect(values[i])}`;
    if (text.length > maxLine) {
      text = `${sliceText(text, 0, maxLine)}… (cut)`;
      break;
    }
  }
  left -= text.length + 16;
  if (left < 0) {
    breachLimit("logBytes", `the job logged more than ${total} bytes; limits.logBytes in defineJob raises that`);
    return;
  }
  lines++;
  host().log(lines, level, text, guestNow());
}

export const log = Object.freeze({
  debug: (...values: unknown[]) => write("debug", values),
  info: (...values: unknown[]) => write("info", values),
  warn: (...values: unknown[]) => write("warn", values),
  error: (...values: unknown[]) => write("error", values),
});

export function installConsole(): void {
  const nothing = () => {};
  const console = {
    ...log,
    log: log.info,
    trace: log.debug,
    dir: log.info,
    table: log.info,
    assert: (condition: unknown, ...values: unknown[]) => {
      if (!condition) log.error("Assertion failed:", ...values);
    },
    group: log.info,
    groupEnd: nothing,
    time: nothing,
    timeEnd: nothing,
    count: nothing,
  };
  Object.defineProperty(globalThis, "console", { value: console, writable: true, configurable: true });
}
