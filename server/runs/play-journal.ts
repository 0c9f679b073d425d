import type { EffectCall, EffectReply, RecordedReply } from "../sandbox/types.ts";
import type { JournalEntry } from "./read-journal.ts";

type Deliver = (reply: EffectReply) => void;

type Delivery = RecordedReply & Readonly<{ delivered: number }>;

/** What the journal knows of a call that was issued again. */
export type Match = Readonly<
  { kind: "new" } | { kind: "done" } | { kind: "intent"; entry: JournalEntry } | { kind: "differs"; message: string }
>;

/** Answers an attempt that goes on from its journal, in the order in which the answers were delivered first. */
export type JournalPlayer = Readonly<{
  /** Looks a call up by its order of issue. One that is done is answered by the player, as soon as it is its turn. */
  play(call: EffectCall, deliver: Deliver): Match;
  /** Settled once everything on record was delivered. */
  complete: Promise<void>;
  isComplete(): boolean;
  /** Names the delivery that is due and whose call was not issued again; to be asked while the guest waits for an answer. */
  missing(): string | undefined;
  /** What was delivered, in that order; each has its number. */
  recorded: readonly Delivery[];
}>;

/** Makes the player of an attempt's journal, read whole. */
export function playJournal(journal: readonly JournalEntry[]): JournalPlayer {
  const entries = new Map(journal.map((entry) => [entry.seq, entry]));
  const recorded = journal.flatMap(asDelivery).sort((a, b) => a.delivered - b.delivered);
  const asked = new Map<number, Deliver>();
  const complete = Promise.withResolvers<void>();
  let next = 0;

  function pump(): void {
    for (let due = recorded[next]; due !== undefined; due = recorded[next]) {
      const deliver = asked.get(due.seq);
      if (deliver === undefined) return;
      asked.delete(due.seq);
      next += 1;
      deliver(due);
    }
    complete.resolve();
  }
  pump();

  return {
    complete: complete.promise,
    isComplete: () => next === recorded.length,
    recorded,
    play(call, deliver) {
      const entry = entries.get(call.seq);
      if (entry === undefined) return { kind: "new" };
      if (entry.op !== call.op || entry.argsJson !== call.argsJson) {
        const message = `Effect ${call.seq} was ${shown(entry)} when it was recorded, and is ${shown(call)} now.`;
        return { kind: "differs", message };
      }
      if (entry.state === "intent") return { kind: "intent", entry };
      asked.set(call.seq, deliver);
      pump();
      return { kind: "done" };
    },
    missing() {
      const due = recorded[next];
      const entry = due === undefined || asked.has(due.seq) ? undefined : entries.get(due.seq);
      return entry && `Effect ${entry.seq}, ${shown(entry)}, is on record and was not asked for again.`;
    },
  };
}

function asDelivery({ seq, state, ok, resultJson, delivered, guestMs }: JournalEntry): Delivery[] {
  if (state !== "done" || ok === null || resultJson === null || delivered === null || guestMs === null) return [];
  return [{ seq, delivered, ok, json: resultJson, guestMs }];
}

const shownChars = 160;

function shown({ op, argsJson }: Pick<EffectCall, "op" | "argsJson">): string {
  return `${op} ${argsJson.length > shownChars ? `${argsJson.slice(0, shownChars)}…` : argsJson}`;
}
