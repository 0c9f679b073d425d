import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { UserError } from "../errors.ts";
import { type Home, homePaths } from "../home.ts";
import { silentLog } from "../log.ts";
import { approvalsFixture } from "../review/approvals-fixture.ts";
import { readChainHead, writeChainHead } from "../review/chain-head.ts";
import { dumpStore } from "../store/dump-store.ts";
import { openStore } from "../store/open-store.ts";
import { type RestoreOptions, restoreBackup } from "./restore-backup.ts";
import { carryOut, commitPlan, findUnfinishedRestore, requireNoUnfinishedRestore } from "./restore-plan.ts";
import { verifyBackup } from "./verify-backup.ts";
import { writeBackup } from "./write-backup.ts";

// Each restore makes an embedded database on disk.
vi.setConfig({ testTimeout: 240_000 });

const never = new AbortController().signal;
let folder = "";
let file = "";
/** Made after two more decisions. */
let later = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "jr-restore-"));
  await using source = await approvalsFixture();
  const { home, db } = source;
  const jobsFolder = join(folder, "jobs");
  mkdirSync(join(jobsFolder, "watch"), { recursive: true });
  writeFileSync(join(jobsFolder, "watch", "index.ts"), "// a job");
  writeFileSync(home.config, "timezone: Asia/Seoul\n");
  writeFileSync(home.env, "CHAT_WEBHOOK=https://hooks.example.org/x\n", { mode: 0o600 });
  mkdirSync(join(home.runs, "R1"), { recursive: true });
  writeFileSync(join(home.runs, "R1", "report.txt"), "left by a run");
  await source.addVersion(1, "one");
  await source.approve(1);
  const write = async (path: string, secrets: boolean) => {
    const store = { kind: "pglite", dump: (part: Parameters<typeof dumpStore>[1]) => dumpStore(db, part) } as const;
    await writeBackup(path, store, { home, jobsFolder, keys: true, secrets, artifacts: true }, never);
    return path;
  };
  file = await write(join(folder, "one.tar.gz"), false);
  await source.addVersion(2, "two");
  await source.approve(2);
  later = await write(join(folder, "two.tar.gz"), true);
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function emptyHome(): { home: Home; options: RestoreOptions } {
  const home = homePaths({ JOBRUNNER_HOME: mkdtempSync(join(folder, "home-")) });
  const env = { JOBRUNNER_JOBS: join(home.root, "jobs") };
  return { home, options: { home, env, log: silentLog, replace: false, storeOnly: false, liveRuns: "ask" } };
}

/** Everything below a folder with its content; of a database, that it is there. */
function contents(root: string): Record<string, string> {
  const paths = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => !path.includes("data/"));
  const files = paths.filter((path) => statSync(join(root, path)).isFile());
  return Object.fromEntries(files.sort().map((path) => [path, readFileSync(join(root, path), "utf8")]));
}

const codeOf = (error: unknown) => (error instanceof UserError ? error.code : error);

test("a backup holds no secret unless it was asked for, and nobody else may read it", async () => {
  const { files } = await verifyBackup(file, emptyHome().home, { storeOnly: false });
  expect([...files.keys()]).toEqual([
    "home/config.yaml",
    "home/keys/trusted.json",
    "home/keys/head.json",
    "jobs/watch/index.ts",
    "runs/R1/report.txt",
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const withSecrets = await verifyBackup(later, emptyHome().home, { storeOnly: false });
  expect([...withSecrets.files.keys()]).toContain("home/.env");
});

function unpacked(bytes: Buffer): Buffer | undefined {
  try {
    return gunzipSync(bytes);
  } catch {
    return undefined;
  }
}

test("a backup that was changed or cut off anywhere is refused", async () => {
  const { home } = emptyHome();
  const whole = readFileSync(file);
  const damaged = join(folder, "damaged.tar.gz");
  // The first ten bytes are gzip's own header: its time and system say nothing of the content.
  const places = Array.from({ length: 80 }, (_, n) => 10 + Math.floor(((whole.length - 10) * n) / 80));
  for (const at of [...places, whole.length - 1]) {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    for (const bytes of [flipped, whole.subarray(0, at)]) {
      // Between blocks of deflate stand bits that mean nothing: a file with one of these turned holds the very same.
      if (unpacked(bytes)?.equals(gunzipSync(whole))) continue;
      writeFileSync(damaged, bytes);
      await expect(verifyBackup(damaged, home, { storeOnly: false }).catch(codeOf), `at ${at}`).resolves.toBe(
        "backup_damaged",
      );
    }
  }
});

test("a restore brings store, keys, settings, jobs and artifacts, and the chain of decisions counts", async () => {
  const { home, options } = emptyHome();
  const { lostHead, aside, secrets, backup } = await restoreBackup(file, options);
  expect([lostHead, aside, secrets, backup.chain.head.seq]).toEqual([undefined, null, ["CHAT_WEBHOOK"], 1]);
  const { store, ...files } = contents(home.root);
  expect(store).toBe("pglite\n");
  expect(Object.keys(files)).toEqual([
    "config.yaml",
    "jobs/watch/index.ts",
    "keys/head.json",
    "keys/trusted.json",
    "runs/R1/report.txt",
  ]);
  expect(files["runs/R1/report.txt"]).toBe("left by a run");
  await using opened = await openStore({ dataDir: home.data, databaseUrl: null, log: silentLog });
  expect(await opened.db.selectFrom("versions").select(["job", "number"]).execute()).toEqual([
    { job: "watch", number: 1 },
  ]);
  expect((await opened.db.selectFrom("events").select("kind").execute()).at(-1)).toEqual({ kind: "store.restored" });
});

test("nothing is replaced unless that is asked for, and then it is kept; what this machine has seen is not forgotten", async () => {
  const { home, options } = emptyHome();
  await restoreBackup(later, options);
  writeFileSync(home.config, "timezone: Europe/Berlin\n");
  mkdirSync(join(home.runs, "R7"));
  const before = contents(home.root);
  await expect(restoreBackup(file, options).catch(codeOf)).resolves.toBe("store_not_empty");
  expect(contents(home.root)).toEqual(before);

  const head = readChainHead(home);
  const { lostHead, aside } = await restoreBackup(file, { ...options, replace: true });
  expect([lostHead, readChainHead(home)]).toEqual([2, head]);
  expect(contents(home.root)["config.yaml"]).toBe("timezone: Asia/Seoul\n");
  expect(contents(aside ?? "")["home/config.yaml"]).toBe("timezone: Europe/Berlin\n");
  expect(readdirSync(aside ?? "").sort()).toEqual(["data", "home", "runs"]);
  expect(readdirSync(home.runs)).toEqual(["R1"]);
});

test("run numbers that may have been used after the backup are not used again", async () => {
  const { home, options } = emptyHome();
  await restoreBackup(file, options);
  await using store = await openStore({ dataDir: home.data, databaseUrl: null, log: silentLog });
  const run = { job: "watch", trigger: "person", state: "queued", trace_id: "t", requested_by: "person" } as const;
  const { id } = await store.db
    .insertInto("runs")
    .values({ ...nulls, ...run, run_at: new Date() })
    .returning("id")
    .executeTakeFirstOrThrow();
  expect(id).toBeGreaterThan(1_000);
});

const nulls = {
  version: null,
  schedule_key: null,
  slot: null,
  input: null,
  dedupe_key: null,
  concurrency: null,
  start_by: null,
  parent_run: null,
  lease_owner: null,
  heartbeat_at: null,
  cancel_requested_at: null,
  cancel_requested_by: null,
  output: null,
  error: null,
  started_at: null,
  finished_at: null,
};

test("cut off before its point of no return a restore leaves all as it was; after it, it goes forward alone", async () => {
  const { home, options } = emptyHome();
  // What a kill leaves before the plan is written.
  mkdirSync(join(home.root, "restoring", "home"), { recursive: true });
  writeFileSync(join(home.root, "restoring", "home", "config.yaml"), "rubbish: true");
  mkdirSync(`${home.data}.restoring`);
  expect(() => requireNoUnfinishedRestore(home)).not.toThrow();
  await restoreBackup(later, options);
  expect(contents(home.root)["config.yaml"]).toBe("timezone: Asia/Seoul\n");
  expect(readdirSync(home.root).filter((name) => name.includes("restoring"))).toEqual([]);

  // After it: the store has been swapped, the files have not.
  const staged = join(home.root, "restoring", "home", "config.yaml");
  mkdirSync(join(home.root, "restoring", "home"), { recursive: true });
  writeFileSync(staged, "timezone: UTC\n");
  const aside = join(home.root, "replaced-20260101000000");
  const moves = [{ from: staged, to: home.config, aside: join(aside, "home", "config.yaml") }];
  commitPlan(home, { file, store: "pglite", databaseUrl: null, aside, moves });
  expect(() => requireNoUnfinishedRestore(home)).toThrow("cut off before its last steps");
  const plan = findUnfinishedRestore(home);
  if (plan === undefined) throw new Error("the plan is gone");
  await carryOut(home, plan);
  expect(() => requireNoUnfinishedRestore(home)).not.toThrow();
  expect(contents(home.root)["config.yaml"]).toBe("timezone: UTC\n");
});

test("a backup whose decisions were cut, or of a newer release, is refused", async () => {
  const { home } = emptyHome();
  await using source = await approvalsFixture();
  await source.addVersion(1, "one");
  await source.approve(1);
  writeChainHead(source.home, { seq: 2, hash: "sha256:seen" });
  const options = { home: source.home, jobsFolder: join(folder, "none"), keys: true, secrets: false, artifacts: false };
  const write = async (name: string, change: (migrations: string[]) => string[]) => {
    const dump = async (part: Parameters<typeof dumpStore>[1]) => {
      const summary = await dumpStore(source.db, part);
      return { ...summary, migrations: change(summary.migrations) };
    };
    const path = join(folder, name);
    await writeBackup(path, { kind: "pglite", dump }, options, never);
    return await verifyBackup(path, home, { storeOnly: false }).catch(codeOf);
  };
  expect(await write("cut.tar.gz", (all) => all)).toBe("chain_broken");
  expect(await write("newer.tar.gz", (all) => [...all, "9999-to-come"])).toBe("store_newer");
});
