import { UserError } from "../errors.ts";
import type { Manifest } from "../jobs/manifest.ts";

type Limits = Manifest["limits"];

/** Bytes around a body that a call may have besides it: its address, headers and names. */
const callOverheadBytes = 256 * 1024;

/** Throws `limit_exceeded` where a call sends more than limits.requestBytes. Base64 makes a third more of a body. */
export function requireSize(op: string, argsJson: string, { requestBytes }: Pick<Limits, "requestBytes">): void {
  if (argsJson.length <= Math.ceil(requestBytes / 3) * 4 + callOverheadBytes) return;
  throw new UserError(
    "limit_exceeded",
    `${op}: what it sends is longer than ${requestBytes} bytes; limits.requestBytes in defineJob raises that.`,
  );
}

/**
 * Counts what an attempt's journal holds, from `held` on. The function that it gives adds a call with its result, and answers with a
 * message where the journal would then be longer than limits.journalBytes.
 */
export function measureJournal({ journalBytes }: Pick<Limits, "journalBytes">, held = 0) {
  let bytes = held;
  return ({ seq, op, argsJson }: { seq: number; op: string; argsJson: string }, resultJson: string) => {
    bytes += argsJson.length + resultJson.length;
    return bytes <= journalBytes
      ? undefined
      : `Effect ${seq} (${op}) would make its journal longer than ${journalBytes} bytes; limits.journalBytes in defineJob raises that.`;
  };
}
