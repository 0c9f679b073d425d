import fc from "fast-check";
import { conversation, converse } from "./protocol-cases.ts";

/* Conversations at random for so many minutes: `node tests/fuzz/protocol-fuzz.ts --minutes 10`. */

const minutes = Number(process.argv[process.argv.indexOf("--minutes") + 1] ?? 1);
const seen = new Map<string, number>();
const property = fc.asyncProperty(conversation, async (each) => {
  const state = await converse(each);
  seen.set(state, (seen.get(state) ?? 0) + 1);
});
const result = await fc.check(property, {
  numRuns: Number.MAX_SAFE_INTEGER,
  interruptAfterTimeLimit: minutes * 60_000,
  markInterruptAsFailure: false,
});
process.stdout.write(`${result.numRuns} conversations in ${minutes} minutes, seed ${result.seed}\n`);
for (const [state, count] of seen) process.stdout.write(`  ${state}: ${count}\n`);
if (result.failed) {
  process.stdout.write(`${fc.defaultReportMessage(result)}\n`);
  process.exitCode = 1;
}
