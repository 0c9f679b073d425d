import { formatMs, formatTime } from "../../format-time.ts";
import type { Row } from "../../store/tables.ts";
import { alertCommand } from "./alert-command.ts";

const longestCause = 240;

/** What a message says of an alert, in one line with the command that looks closer. */
export function alertLine(
  alert: Row<"alerts">,
  { timezone, clean }: Readonly<{ timezone: string; clean: (text: string) => string }>,
): string {
  const short = (text: string) => shortened(clean(text));
  const { message, first_message, resolved_at, first_at, count, untold, untold_at, told } = alert;
  const first = short(first_message);
  const often = untold > 1 && untold_at !== null ? ` (${untold} times since ${formatTime(untold_at, timezone)})` : "";
  if (resolved_at !== null) {
    const lasted = formatMs(resolved_at.getTime() - first_at.getTime());
    const times = told > 0 ? (count > 1 ? `, ${count} times` : "") : often;
    return `Over after ${lasted}${times}: ${first}. ${command(alert)}`;
  }
  const began = first_message === message ? "" : `; it began with: ${first}`;
  return `${short(message)}${often}${began}. ${command(alert)}`;
}

function command(alert: Row<"alerts">): string {
  return ["jr", ...(alertCommand(alert) ?? ["status"])].join(" ");
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return line.length <= longestCause ? line : `${line.slice(0, longestCause - 1).toWellFormed()}…`;
}
