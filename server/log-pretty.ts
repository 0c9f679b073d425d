import { z } from "zod";

const entrySchema = z.looseObject({
  level: z.string(),
  time: z.string(),
  msg: z.string().optional(),
  err: z.looseObject({ message: z.string().optional(), stack: z.string().optional() }).optional(),
});

/** One JSON log line as a person reads it: local time, level, message, then the other members as `key=value`. */
export function prettyLine(line: string): string {
  const entry = entrySchema.safeParse(parsed(line));
  if (!entry.success) return line;
  const { level, time, msg = "", err, pid: _pid, ...rest } = entry.data;
  const members = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const head = [new Date(time).toTimeString().slice(0, 8), level.padEnd(5), msg, ...members].join(" ");
  return `${err === undefined ? head : `${head}\n  ${err.stack ?? err.message ?? ""}`}\n`;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
