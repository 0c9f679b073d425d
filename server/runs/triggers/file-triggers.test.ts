import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { addAttempt, addJob, servesAll, testManifest } from "../../../tests/support/runs.ts";
import { testStore } from "../../../tests/support/store.ts";
import type { Manifest } from "../../jobs/manifest.ts";
import { silentLog } from "../../log.ts";
import type { Db, Store } from "../../store/open-store.ts";
import { openAlerts } from "../alerts.ts";
import { claim } from "../queue/claim.ts";
import { enqueue } from "../queue/enqueue.ts";
import { settle } from "../queue/settle.ts";
import { findChanges, isOwn } from "./file-changes.ts";
import { startFileTriggers } from "./file-triggers.ts";
import { type RunEvent, readRunEvent } from "./run-event.ts";
import { scanFiles } from "./scan-files.ts";
import { mostFileRunsPerHour, readMarks, rememberFiles, startFromFiles, whyHeld } from "./start-from-files.ts";

const success = { state: "succeeded", output: null, error: null } as const;
const times = { quietMs: 150, patienceMs: 2_000, pollMs: 300, heldMs: 40 };

async function tempFolder(): Promise<
  AsyncDisposable & { path: string; write(name: string, text: string): Promise<void> }
> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "jobrunner-files-")));
  return {
    path,
    write: (name, text) => writeFile(join(path, name), text),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

const waitsFor = (...files: string[]) => testManifest({ triggers: { after: [], files, webhook: false } });

function watchIn(store: Store, manifest: Manifest, host = "here") {
  const approvals = {
    active: async () => ({ version: 1, decidedAt: "", keyId: "" }),
    requireRunnable: async () => ({ version: 1, manifest, bundle: "", bundleHash: "", sourceMap: null }),
    onChange: () => () => {},
  };
  return startFileTriggers({
    store,
    approvals,
    serving: servesAll,
    host,
    log: silentLog,
    clock: () => new Date(),
    times,
  });
}

async function events(db: Db): Promise<RunEvent[]> {
  const runs = await db.selectFrom("runs").selectAll().where("trigger", "=", "files").orderBy("id").execute();
  const found = await Promise.all(runs.map((run) => readRunEvent(db, run)));
  return found.flatMap((event) => event ?? []);
}

const changesOf = (event: RunEvent | undefined, folder: string) =>
  event?.kind === "files" ? event.changes.map(({ path, change }) => `${change} ${path.slice(folder.length + 1)}`) : [];

async function finishRun(db: Db): Promise<void> {
  const [run] = (await claim(db, { worker: "w", limit: 1 })).runs;
  if (run === undefined) throw new Error("nothing to claim");
  await settle(db, { runId: run.id, attempt: run.attempt, lease: run.lease, outcome: success, retry: null });
}

/** Until the watch has looked at the folder for the first time. */
const looked = (db: Db) =>
  expect
    .poll(() =>
      db
        .selectFrom("file_watches")
        .selectAll()
        .execute()
        .then((rows) => rows.length),
    )
    .toBeGreaterThan(0);

describe.each(["pglite", "postgres"] as const)("changed files, on %s", (kind) => {
  test("two daemons of a host start one run for a batch; what was there at first starts none", async () => {
    await using folder = await tempFolder();
    await folder.write("old.txt", "1");
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    {
      await using _one = watchIn(store, waitsFor(folder.path));
      await using _two = watchIn(store, waitsFor(folder.path));
      await looked(db);
      await mkdir(join(folder.path, "deep"));
      await Promise.all([
        folder.write("deep/new.txt", "1"),
        folder.write("old.txt", "22"),
        folder.write(".hidden", "1"),
      ]);
      await expect.poll(async () => (await events(db)).length, { timeout: 20_000 }).toBe(1);
      // While its run waits, further changes wait, too, and are one batch.
      await folder.write("b.txt", "1");
      await folder.write("c.txt", "1");
      await finishRun(db);
      await expect.poll(async () => (await events(db)).length, { timeout: 20_000 }).toBe(2);
    }
    const [first, second] = await events(db);
    expect(changesOf(first, folder.path)).toEqual(["added deep/new.txt", "changed old.txt"]);
    expect(changesOf(second, folder.path)).toEqual(["added b.txt", "added c.txt"]);
    expect(await db.selectFrom("runs").select(["requested_by"]).distinct().execute()).toEqual([
      { requested_by: "files on here" },
    ]);
  });

  test("what changed while nobody watched is found at the start; a paused job has it once it goes on", async () => {
    await using folder = await tempFolder();
    for (const name of ["gone", "kept", "moved"]) await folder.write(name, "1");
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    {
      await using _watch = watchIn(store, waitsFor(folder.path));
      await looked(db);
    }
    await db.updateTable("jobs").set({ state: "paused" }).execute();
    await rm(join(folder.path, "gone"));
    await rename(join(folder.path, "moved"), join(folder.path, "new name"));
    await using _again = watchIn(store, waitsFor(folder.path));
    expect(await whyHeld(db, { job: "a", manifest: testManifest() })).toBe("paused");
    await db.updateTable("jobs").set({ state: "active" }).execute();
    await expect.poll(async () => (await events(db)).length, { timeout: 20_000 }).toBe(1);
    expect(changesOf((await events(db))[0], folder.path)).toEqual(["deleted gone", "deleted moved", "added new name"]);
  });

  test("what the job wrote itself starts nothing, and is known from then on", async () => {
    await using folder = await tempFolder();
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    const watched = { job: "a", host: "here", manifest: waitsFor(folder.path) };
    const scan = () => scanFiles([folder.path]);
    await folder.write("theirs.txt", "1");
    await folder.write("done.txt", "1");
    await rememberFiles(db, watched, { scan: await scan(), now: new Date() });
    const { run } = await enqueue(db, { job: "a", trigger: "person", requestedBy: "person", traceId: "t" });
    const [claimed = run] = (await claim(db, { worker: "w", limit: 1 })).runs;
    await addAttempt(db, claimed, 1);
    let seq = 0;
    const effect = async (op: string, name: string, act: () => Promise<void>) => {
      const started_at = new Date();
      await act();
      const args = JSON.stringify({ path: join(folder.path, name), data: "", mode: "replace" });
      const row = {
        run_id: claimed.id,
        attempt: 1,
        seq: ++seq,
        op,
        args,
        args_hash: null,
        safe: true,
        state: "done",
      } as const;
      const none = { result: null, result_hash: null, delivered: seq, guest_ms: 0, progress: null };
      await db
        .insertInto("journal")
        .values({ ...row, ...none, outcome: "ok", started_at, ended_at: new Date() })
        .execute();
    };
    await effect("files.write", "report.txt", () => folder.write("report.txt", "mine"));
    await effect("files.delete", "done.txt", () => rm(join(folder.path, "done.txt")));
    await settle(db, { runId: claimed.id, attempt: 1, lease: claimed.lease, outcome: success, retry: null });
    const still = { moving: new Set<string>(), now: new Date() };
    expect(await startFromFiles(db, watched, { scan: await scan(), ...still })).toBeUndefined();
    expect(findChanges((await readMarks(db, watched)) ?? new Map(), await scan())).toEqual([]);
    await folder.write("theirs.txt", "22");
    const started = await startFromFiles(db, watched, { scan: await scan(), ...still });
    expect(started && changesOf((await readRunEvent(db, started)) ?? undefined, folder.path)).toEqual([
      "changed theirs.txt",
    ]);
  });

  test("a job that always finds changes is held at its runs of an hour, and loses none of them", async () => {
    await using folder = await tempFolder();
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    const watched = { job: "a", host: "here", manifest: waitsFor(folder.path) };
    const still = { moving: new Set<string>(), now: new Date() };
    await rememberFiles(db, watched, { scan: await scanFiles([folder.path]), now: new Date() });
    for (let i = 0; i < mostFileRunsPerHour; i++) {
      await folder.write("loop.txt", "x".repeat(i + 1));
      expect(await startFromFiles(db, watched, { scan: await scanFiles([folder.path]), ...still })).toBeDefined();
      await finishRun(db);
    }
    await folder.write("last.txt", "1");
    expect(await whyHeld(db, watched)).toBe("limit");
    expect(await startFromFiles(db, watched, { scan: await scanFiles([folder.path]), ...still })).toBeUndefined();
    {
      await using _watch = watchIn(store, watched.manifest);
      await expect
        .poll(async () => (await openAlerts(db)).map(({ key }) => key), { timeout: 20_000 })
        .toEqual(["job:a:files"]);
      await sql`update runs set created_at = now() - interval '1 hour'`.execute(db);
      await expect.poll(async () => (await events(db)).length, { timeout: 20_000 }).toBe(mostFileRunsPerHour + 1);
    }
    expect(await openAlerts(db)).toEqual([]);
    expect(changesOf((await events(db)).at(-1), folder.path)).toEqual(["added last.txt"]);
  });
});

test("another watched path brings no news of its own, and what was known stays", async () => {
  await using folder = await tempFolder();
  await using store = await testStore();
  const { db } = store;
  await addJob(db, "a");
  for (const name of ["one", "two"]) await mkdir(join(folder.path, name));
  await folder.write("one/a", "1");
  await folder.write("two/b", "1");
  const [one, two] = [join(folder.path, "one"), join(folder.path, "two")];
  const at = async (...roots: string[]) => ({ scan: await scanFiles(roots), now: new Date() });
  await rememberFiles(db, { job: "a", host: "here", manifest: waitsFor(one) }, await at(one));
  await folder.write("one/a", "22");
  const both = { job: "a", host: "here", manifest: waitsFor(one, two) };
  expect(await readMarks(db, both)).toBeUndefined();
  await rememberFiles(db, both, await at(one, two));
  const { scan } = await at(one, two);
  expect(findChanges((await readMarks(db, both)) ?? new Map(), scan)).toEqual([
    { path: join(one, "a"), change: "changed" },
  ]);
});

test("a scan follows no links, and a folder that is not there says nothing", async () => {
  await using folder = await tempFolder();
  await mkdir(join(folder.path, "in"));
  await folder.write("in/a", "1");
  await folder.write("in/draft~", "1");
  await folder.write("outside", "1");
  await symlink(join(folder.path, "outside"), join(folder.path, "in", "link"));
  await symlink(folder.path, join(folder.path, "in", "up"));
  const root = join(folder.path, "in");
  const before = await scanFiles([root]);
  expect([...before.marks.keys()]).toEqual([join(root, "a")]);
  await rename(root, join(folder.path, "away"));
  const gone = await scanFiles([root]);
  expect(gone.absent).toEqual([root]);
  expect(findChanges(before.marks, gone)).toEqual([]);
  // One file that is watched by its name, though, is deleted.
  const file = new Map([[root, "1 1"]]);
  expect(findChanges(file, gone)).toEqual([{ path: root, change: "deleted" }]);
});

test.each([
  ["its own last write", "changed", [["write", 100, 200]], 150, true],
  ["a change after its write", "changed", [["write", 100, 200]], 900, false],
  ["written, then deleted by another", "deleted", [["write", 100, 200]], 0, false],
  [
    "its own delete",
    "deleted",
    [
      ["write", 100, 200],
      ["delete", 300, 310],
    ],
    0,
    true,
  ],
  ["made again after its delete", "added", [["delete", 300, 310]], 900, false],
  ["never written", "changed", [], 150, false],
] as const)("own or not: %s", (_, change, done, atMs, expected) => {
  const writes = done.map(([op, fromMs, untilMs]) => ({ path: "/f", op, fromMs, untilMs }));
  const marks = new Map(change === "deleted" ? [] : [["/f", `1 ${atMs}000000`]]);
  expect(isOwn({ path: "/f", change }, marks, writes)).toBe(expected);
});
