import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addAttempt, addJob } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { claim } from "../runs/queue/claim.ts";
import { enqueue } from "../runs/queue/enqueue.ts";
import { settle } from "../runs/queue/settle.ts";
import { enforceRetention } from "../runs/retention.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";
import { archiveRuns } from "./archive-runs.ts";
import { listArchivedRuns, readArchivedRun } from "./archived-runs.ts";
import { readArchive } from "./read-archive.ts";
import { wholeEntry } from "./tar.ts";

const now = new Date("2026-06-01T00:00:00Z");
const old = new Date("2026-01-01T00:00:00Z");
const big = "x".repeat(100_000);
let root: string;
let clock = now;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "jr-archive-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A home's folders and what keeps runs in them. */
function archiveIn(name: string, db: Db) {
  const folder = join(root, name, "archive");
  const runsFolder = join(root, name, "runs");
  const archive = (ids: readonly number[]) => archiveRuns(db, ids, { folder, runsFolder, clock: () => clock });
  return { folder, runsFolder, archive };
}

/** A run that has ended, with a line of log, an effect with a large result, and an artifact. */
async function endedRun(db: Db, job: string, runsFolder: string): Promise<number> {
  await enqueue(db, { job, trigger: "host", requestedBy: "t", traceId: "t", concurrency: null, now: old });
  const [run] = (await claim(db, { worker: "w", limit: 1, now: old })).runs;
  if (run === undefined) throw new Error("nothing to claim");
  await addAttempt(db, run, 1);
  const line = { n: 1, level: "info" as const, text: "said it", at: old };
  const outcome = { state: "succeeded", output: '{"answer":42}', error: null, log: [line] } as const;
  await settle(db, { runId: run.id, attempt: 1, lease: 1, outcome, retry: null, now: old });
  await sql`insert into blobs (hash, bytes, created_at) values (${sha256(big)}, ${Buffer.from(big)}, ${old}) on conflict do nothing`.execute(
    db,
  );
  await sql`insert into journal (run_id, attempt, seq, op, args, safe, state, outcome, result_hash, delivered, guest_ms, started_at, ended_at)
    values (${run.id}, 1, 1, 'fetch', '{"url":"https://example.org/"}', true, 'done', 'ok', ${sha256(big)}, 1, 1, ${old}, ${old})`.execute(
    db,
  );
  mkdirSync(join(runsFolder, `R${run.id}`), { recursive: true });
  writeFileSync(join(runsFolder, `R${run.id}`, "report.txt"), `of R${run.id}`);
  return run.id;
}

const remaining = async (db: Db) =>
  (await db.selectFrom("runs").select("id").orderBy("id").execute()).map(({ id }) => id);

test.each(["pglite", "postgres"] as const)(
  "runs are in the archive, whole, before retention deletes them (%s)",
  async (kind) => {
    await using store = await testStore(kind);
    const { db } = store;
    const { folder, runsFolder, archive } = archiveIn(kind, db);
    for (const job of ["a", "b"]) await addJob(db, job);
    const ids: number[] = [];
    for (const job of ["a", "b", "a"]) ids.push(await endedRun(db, job, runsFolder));
    const [first = 0, second = 0, third = 0] = ids;
    expect(await enforceRetention(db, { days: 30, runsPerJob: 100, now, batch: 2, archive })).toMatchObject({
      runs: 3,
    });
    expect(await remaining(db)).toEqual([]);

    const listed = await listArchivedRuns(folder, { limit: 10 });
    expect(listed.map(({ id, job, state }) => [id, job, state])).toEqual(
      expect.arrayContaining([
        [first, "a", "succeeded"],
        [second, "b", "succeeded"],
        [third, "a", "succeeded"],
      ]),
    );
    expect(listed).toHaveLength(3);
    expect((await listArchivedRuns(folder, { job: "b", limit: 10 })).map(({ id }) => id)).toEqual([second]);
    expect(await listArchivedRuns(folder, { limit: 2 })).toHaveLength(2);

    const found = await readArchivedRun(folder, first);
    expect(found?.record).toMatchObject({
      run: { id: first, job: "a", output: '{"answer":42}' },
      event: null,
      attempts: [{ attempt: 1, state: "succeeded" }],
      log: [{ n: 1, level: "info", text: "said it" }],
      effects: [{ seq: 1, op: "fetch", args: '{"url":"https://example.org/"}', result_hash: sha256(big) }],
      questions: [],
      artifacts: [],
    });
    expect(await readArchivedRun(folder, 999_999)).toBeUndefined();
    const parts = new Map<string, string>();
    await readArchive(found?.file ?? "", async (part) => {
      parts.set(part.name, (await wholeEntry(part, 1e9)).toString());
    });
    expect(parts.get(`runs/R${first}/report.txt`)).toBe(`of R${first}`);
    expect(parts.get(`content/${sha256(big).replace("sha256:", "")}`)).toBe(big);
  },
);

test("what cannot be archived is not deleted, and what was archived twice is listed once", async () => {
  await using store = await testStore();
  const { db } = store;
  const { folder, runsFolder, archive } = archiveIn("twice", db);
  await addJob(db, "a");
  const id = await endedRun(db, "a", runsFolder);
  const full = new Error("no room");
  const request = { days: 30, runsPerJob: 100, now };
  await expect(
    enforceRetention(db, {
      ...request,
      archive: async () => {
        throw full;
      },
    }),
  ).rejects.toBe(full);
  expect(await remaining(db)).toEqual([id]);
  // As where the daemon dies between the two.
  await archive([id]);
  clock = new Date(now.getTime() + 1_000);
  await enforceRetention(db, { ...request, archive });
  expect(await remaining(db)).toEqual([]);
  expect(readdirSync(join(folder, "2026-06"))).toHaveLength(2);
  expect((await listArchivedRuns(folder, { limit: 10 })).map((run) => run.id)).toEqual([id]);
});

test("a file of the archive that was changed is told", async () => {
  await using store = await testStore();
  const { db } = store;
  const { folder, runsFolder, archive } = archiveIn("damaged", db);
  await addJob(db, "a");
  const id = await endedRun(db, "a", runsFolder);
  await archive([id]);
  const [month = ""] = readdirSync(folder);
  const [name = ""] = readdirSync(join(folder, month));
  const file = join(folder, month, name);
  writeFileSync(file, readFileSync(file).subarray(0, -40));
  await expect(readArchivedRun(folder, id)).rejects.toMatchObject({ code: "backup_damaged" });
});
