import type { Mask } from "./mask-secrets.ts";

const shownChars = 2_000;
/** Kept besides, so that a secret across the beginning of what is shown is still found whole. */
const keptBytes = 16 * 1024;

/** Shows the last 2,000 characters of what a program has put out so far, whole lines with secrets masked. */
export function createExecTail(mask: Mask, progress: (tail: string) => void): (piece: Buffer) => void {
  let kept = Buffer.alloc(0);
  return (piece) => {
    kept = Buffer.concat([kept, piece]).subarray(-keptBytes);
    // A line that is not whole may end in the middle of a secret.
    const end = Math.max(kept.lastIndexOf("\n"), kept.lastIndexOf("\r")) + 1;
    if (end > 0) progress(mask.bytes(kept.subarray(0, end)).toString("utf8").slice(-shownChars));
  };
}
