import { formatTime } from "../format-time.ts";
import type { Row } from "../store/tables.ts";

/** A stretch of slots that did not become runs, in one line. */
export function skippedLine({ slot, last_slot, slots, outcome, reason }: SkippedSlots, timezone: string): string {
  const at = formatTime(slot, timezone);
  if (slots === 1) return `${outcome} ${at}: ${reason}`;
  return `${outcome} ${slots ?? "many"} slots, ${at} to ${formatTime(last_slot, timezone)}: ${reason}`;
}

type SkippedSlots = Pick<Row<"skipped_slots">, "slot" | "last_slot" | "slots" | "outcome" | "reason">;
