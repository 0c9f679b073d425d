import type { RecordedReply } from "./types.ts";

/** Characters that may lie in the runner before their calls were issued. */
const maxChars = 1_000_000;

export type Ahead = Readonly<{
  begin(): void;
  /** Whether the reply that is due now to this call was sent already. To be asked once per delivery. */
  has(seq: number): boolean;
}>;

/** Sends replies on record before their calls come, and always the one that is due next. */
export function sendAhead(recorded: readonly RecordedReply[], send: (reply: RecordedReply) => void): Ahead {
  let sent = 0;
  let delivered = 0;
  let chars = 0;

  function more(): void {
    for (
      let next = recorded[sent];
      next !== undefined && (sent <= delivered || chars < maxChars);
      next = recorded[sent]
    ) {
      sent += 1;
      chars += next.json.length;
      const { seq, ok, json, guestMs } = next;
      send({ seq, ok, json, guestMs });
    }
  }

  return {
    begin: more,
    has(seq) {
      const due = recorded[delivered];
      if (due?.seq !== seq) return false;
      delivered += 1;
      chars -= due.json.length;
      more();
      return true;
    },
  };
}
