import { type Logger, pino } from "pino";
import { prettyLine } from "./log-pretty.ts";
import { openRotatingFile } from "./rotating-file.ts";

export type Log = Logger;
export type LogLevel = "debug" | "info" | "warn" | "error";

export type LogOptions = Readonly<{
  level: LogLevel;
  /** JSON lines go here; rotated to `<name>.1` … when it passes `fileMb`. */
  file?: string;
  fileMb: number;
  /** How many rotated files are kept. */
  files: number;
  stderr: "pretty" | "json" | "off";
}>;

const secretKeys = ["authorization", "cookie", "token", "passphrase", "password", "secret", "databaseUrl", "value"];

/**
 * A logger of JSON lines. Writes are synchronous, so that the last line before a crash is there; a full disk loses lines,
 * which are counted and told once there is room again, and never throws. Disposing it closes the file.
 */
export function createLog({ level, file, fileMb, files, stderr }: LogOptions): Log & Disposable {
  const target =
    file === undefined ? undefined : openRotatingFile({ path: file, maxBytes: fileMb * 1024 * 1024, files });
  const log = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretKeys.flatMap((key) => [key, `*.${key}`]), censor: "[hidden]" },
    },
    {
      write(line: string) {
        const clean = hideCredentials(line);
        target?.write(clean);
        if (stderr !== "off") writeStderr(stderr === "json" ? clean : prettyLine(clean));
      },
    },
  );
  return Object.assign(log, { [Symbol.dispose]: () => target?.[Symbol.dispose]() });
}

/** For tests, and for commands that keep no log. */
export const silentLog: Log = pino({ level: "silent" });

/** Credentials in URLs and bearer headers are hidden wherever they stand in a line, such as in a driver's error message. */
function hideCredentials(line: string): string {
  return line
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"\\]+@/gi, "$1[hidden]@")
    .replace(/\b(bearer)\s+[\w.~+/=-]{8,}/gi, "$1 [hidden]");
}

/** Nobody reads any more: a terminal or pipe that went away must not take the daemon along. */
let readerGone = false;

function writeStderr(text: string): void {
  if (readerGone) return;
  // Told later, as an event: without a listener it is an uncaught exception, whose own line fails again, and so on for ever.
  if (process.stderr.listenerCount("error") === 0) process.stderr.on("error", loseReader);
  try {
    process.stderr.write(text);
  } catch {
    loseReader();
  }
}

function loseReader(): void {
  readerGone = true;
}
