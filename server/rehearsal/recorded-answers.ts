import type { JournalEntry } from "../runs/read-journal.ts";

/** An effect on record that has a result. */
export type RecordedAnswer = Readonly<{
  op: string;
  argsJson: string;
  ok: boolean;
  json: string;
  delivered: number;
  guestMs: number;
}>;

/** What an attempt was answered, in order of issue. */
export function recordedAnswers(journal: readonly JournalEntry[]): RecordedAnswer[] {
  return journal.flatMap(({ op, argsJson, ok, resultJson, delivered, guestMs }) => {
    if (ok === null || resultJson === null || delivered === null || guestMs === null) return [];
    return [{ op, argsJson, ok, json: resultJson, delivered, guestMs }];
  });
}

/** Finds answers by operation and arguments, each once, the earliest issued first. */
export function createRecord(
  answers: readonly RecordedAnswer[],
): (op: string, argsJson: string) => RecordedAnswer | undefined {
  const byCall = Map.groupBy(answers, ({ op, argsJson }) => callKey(op, argsJson));
  const last = new Map<string, RecordedAnswer>();
  return (op, argsJson) => {
    const key = callKey(op, argsJson);
    const found = byCall.get(key)?.shift();
    if (found !== undefined) last.set(key, found);
    // The same secret has the same placeholder and digest throughout a run, however often it is asked for.
    return found ?? (op.startsWith("secrets.") ? last.get(key) : undefined);
  };
}

/** Names a call by what it does: two calls with the same key do the same. */
export function callKey(op: string, argsJson: string): string {
  return `${op}\n${argsJson}`;
}
