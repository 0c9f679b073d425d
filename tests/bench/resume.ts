import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../server/log.ts";
import { openStore } from "../../server/store/open-store.ts";
import { resuming } from "../support/resuming.ts";
import { jobSource, testPool } from "../support/sandbox-run.ts";
import { percentile, print } from "./figures.ts";

/*
 * Going on from a journal of 1,000 effects, against having them anew: the whole of `executeRun` on PGlite on disk, synced.
 */

const effects = 1_000;
const rounds = 7;
const source = jobSource(`
  for (let i = 0; i < ${effects / 2}; i++) { await kv.set("k" + (i % 10), i); await kv.get("k" + (i % 10)); }
  return "done";`);

const dataDir = await mkdtemp(join(tmpdir(), "jobrunner-bench-"));
try {
  await using store = await openStore({ dataDir: join(dataDir, "data"), databaseUrl: null, log: silentLog });
  await using pool = await testPool();
  const it = await resuming(store, pool, source);
  const anew: number[] = [];
  const resumed: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await it.order();
    let start = performance.now();
    // The last answer is on record, and the guest never saw it.
    const { settlement } = await it.work((step) => step === 2 * effects);
    if (settlement !== undefined) throw new Error("the run was not cut");
    anew.push(performance.now() - start);
    start = performance.now();
    const ended = await it.work();
    if (ended.settlement?.state !== "succeeded") throw new Error(`it ended as ${ended.settlement?.state}`);
    resumed.push(performance.now() - start);
  }
  const [first, again] = [percentile(anew.slice(1), 0.5), percentile(resumed.slice(1), 0.5)];
  print(
    "1,000 effects performed and journalled",
    `${Math.round(effects / (first / 1_000))}/s (${first.toFixed(0)} ms p50)`,
  );
  print(
    "  the same run resumed from its journal (bar 200 ms)",
    `${again.toFixed(0)} ms p50, 1/${(first / again).toFixed(1)}`,
  );
} finally {
  await rm(dataDir, { recursive: true, force: true });
}
