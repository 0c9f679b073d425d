import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPglite } from "../../server/store/open-pglite.ts";
import { pgliteStore } from "../../server/store/open-store.ts";
import { startCluster } from "./postgres-cluster.ts";

/**
 * Makes what the test files share, once for all projects: a migrated PGlite to start copies from, compiled code, and a PostgreSQL
 * where none was given. Without any PostgreSQL the tests on it are skipped, loudly, and under CI that is a failure.
 */
export default async function setup(): Promise<() => void> {
  if (process.env.TEST_SHARED) return () => {};
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-test-"));
  process.env.TEST_SHARED = folder;
  await writePglite(folder);
  const cluster = process.env.TEST_DATABASE_URL ? undefined : await startCluster();
  if (cluster) process.env.TEST_DATABASE_URL = cluster.url;
  if (!process.env.TEST_DATABASE_URL) {
    const message = "NO POSTGRESQL: set TEST_DATABASE_URL or install the package postgresql; tests on it do not run.";
    if (process.env.CI) throw new Error(message);
    process.stderr.write(`\n*** ${message}\n\n`);
  }
  return () => {
    cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}

/** As a daemon makes it, in `pglite`, and packed for databases in memory. */
async function writePglite(folder: string): Promise<void> {
  const pglite = await openPglite(join(folder, "pglite"));
  await using _store = await pgliteStore(pglite);
  const dump = await pglite.dumpDataDir("none");
  writeFileSync(join(folder, "pglite.tar"), Buffer.from(await dump.arrayBuffer()));
}
