import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../server/home.ts";
import { silentLog } from "../../server/log.ts";
import { openPglite } from "../../server/store/open-pglite.ts";
import { pgliteStore, postgresStore } from "../../server/store/open-store.ts";
import { startCluster } from "./postgres-cluster.ts";
import { createTestDatabase, unsyncedPglite } from "./store.ts";

/**
 * Makes what the test files share, once for all projects: the program as `jr` runs it, databases with our tables to start copies from,
 * compiled code, and a PostgreSQL where none was given. Without any PostgreSQL the tests on it are skipped, loudly, and under CI that is a failure.
 */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env.TEST_SHARED) return async () => {};
  execFileSync(process.execPath, [join(packageRoot, "scripts", "build.ts")], { stdio: "inherit" });
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-test-"));
  process.env.TEST_SHARED = folder;
  process.env.NODE_COMPILE_CACHE = join(folder, "compiled");
  // As a daemon makes it, for homes; and one that is copied and opened sooner.
  await using _own = await pgliteStore(await openPglite(join(folder, "pglite")));
  await using _small = await pgliteStore(await unsyncedPglite(join(folder, "small-pglite")));
  const cluster = process.env.TEST_DATABASE_URL ? undefined : await startCluster({ unsynced: true });
  if (cluster) process.env.TEST_DATABASE_URL = cluster.url;
  const template = process.env.TEST_DATABASE_URL ? await makeTemplate() : undefined;
  if (!template) {
    const message = "NO POSTGRESQL: set TEST_DATABASE_URL or install the package postgresql; tests on it do not run.";
    if (process.env.CI) throw new Error(message);
    process.stderr.write(`\n*** ${message}\n\n`);
  }
  return async () => {
    await template?.drop();
    cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}

async function makeTemplate(): Promise<{ drop(): Promise<void> }> {
  const database = await createTestDatabase();
  await using _store = await postgresStore(database.url, silentLog);
  process.env.TEST_DATABASE_TEMPLATE = new URL(database.url).pathname.slice(1);
  return database;
}
