import fc from "fast-check";
import { conversation, converse } from "./protocol-cases.ts";

/* Conversations at random for so many minutes, in rounds of their own seeds: `node tests/fuzz/protocol-fuzz.ts --minutes 10`. */

const minutes = Number(process.argv[process.argv.indexOf("--minutes") + 1] ?? 1);
const until = performance.now() + minutes * 60_000;
const perRound = 10_000;
const seen = new Map<string, number>();
const property = fc.asyncProperty(conversation, async (each) => {
  const state = await converse(each);
  seen.set(state, (seen.get(state) ?? 0) + 1);
  // Nothing in a conversation waits for the event loop, and what the parent has begun there must get its turn.
  await new Promise((resolve) => setImmediate(resolve));
});
for (let round = 1; performance.now() < until; round++) {
  const result = await fc.check(property, { numRuns: perRound });
  if (result.failed) {
    process.stdout.write(`${fc.defaultReportMessage(result)}\n`);
    process.exit(1);
  }
  const heapMb = Math.round(process.memoryUsage().heapUsed / 1024 / 1024);
  process.stdout.write(`${round * perRound} conversations, ${heapMb} MB of heap\n`);
}
for (const [state, count] of seen) process.stdout.write(`  ${state}: ${count}\n`);
