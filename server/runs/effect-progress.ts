import type { Db } from "../store/open-store.ts";
import { storableText } from "../store/text.ts";
import { type Issued, recordIntent, recordProgress } from "./journal.ts";

const everyMs = 1_000;
const shownChars = 2_000;

export type ProgressTail = Readonly<{
  show(tail: string): void;
  /** Writes no more, and settles once the last write has. */
  settle(): Promise<void>;
}>;

/** Shows what an effect has put out so far, at most once a second. Nothing depends on it, so a failed write is let go. */
export function createTail(db: Db, issued: Issued): ProgressTail {
  let latest: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  function write(): void {
    timer = undefined;
    const tail = latest;
    if (tail === undefined) return;
    latest = undefined;
    writing = writing
      .then(() => recordIntent(db, issued))
      .then(() => recordProgress(db, issued, storableText(tail)))
      .catch(() => {});
  }

  return {
    show(tail) {
      latest = tail.slice(-shownChars);
      timer ??= setTimeout(write, everyMs);
    },
    settle() {
      clearTimeout(timer);
      latest = undefined;
      return writing;
    },
  };
}
