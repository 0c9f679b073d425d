import { sql } from "kysely";
import { describe, expect, test } from "vitest";
import { addAttempt, addJob } from "../../../tests/support/runs.ts";
import { testStore } from "../../../tests/support/store.ts";
import type { Db } from "../../store/open-store.ts";
import { claim, type Except } from "./claim.ts";
import { enqueue } from "./enqueue.ts";
import { settle } from "./settle.ts";

const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms);
const none: Except = { jobs: [], fresh: [], runs: [] };
const error = { reason: "unserved", class: "transient", message: "worker w has no secret TOKEN" } as const;

async function add(db: Db, job: string) {
  return (await enqueue(db, { job, trigger: "host", requestedBy: "test", traceId: "t", now: at(0) })).run;
}
async function claimOne(db: Db, ms: number, except: Partial<Except> = {}) {
  const { runs } = await claim(db, { worker: "w", limit: 1, except: { ...none, ...except }, now: at(ms) });
  return runs[0];
}

describe.each(["pglite", "postgres"] as const)("leaving runs to others on %s", (kind) => {
  test("jobs and runs that are excepted stay in the queue, and do not wake the worker", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    for (const job of ["a", "b"]) await addJob(db, job);
    const [a, b] = [await add(db, "a"), await add(db, "b")];
    expect(await claimOne(db, 1, { jobs: ["a", "b"] })).toBeUndefined();
    expect(await claimOne(db, 1, { jobs: ["a"], runs: [b.id] })).toBeUndefined();
    const later = { job: "a", trigger: "host", requestedBy: "test", traceId: "t", now: at(0) } as const;
    await enqueue(db, { ...later, runAt: at(500) });
    const except = { ...none, jobs: ["a"], runs: [b.id] };
    expect(await claim(db, { worker: "w", limit: 1, except, now: at(1) })).toEqual({
      runs: [],
      nextDueMs: null,
      waits: true,
    });
    expect((await claimOne(db, 1, { jobs: ["a"] }))?.id).toBe(b.id);
    expect((await claimOne(db, 1))?.id).toBe(a.id);
  });

  test("of a job whose attempts are not begun here, those that have begun go on here", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    const { id } = await add(db, "a");
    expect(await claimOne(db, 1, { fresh: ["a"] })).toBeUndefined();
    const begun = await claimOne(db, 1);
    if (begun === undefined) throw new Error("nothing claimed");
    await addAttempt(db, begun, 1);
    const stopped = { state: "put_back", error: { ...error, reason: "shutdown" } } as const;
    await settle(db, { runId: id, attempt: 1, lease: 1, outcome: stopped, retry: null, now: at(2) });
    expect(await claimOne(db, 3, { fresh: ["a"] })).toMatchObject({ id, attempt: 1, lease: 2 });
  });

  test("a run that is put back as not served has lost nothing: no try, no place, no start", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    const before = await add(db, "a");
    const run = await claimOne(db, 1);
    expect(run).toMatchObject({ attempt: 1, lease: 1, started_at: at(1) });
    const back = await settle(db, {
      runId: before.id,
      attempt: 1,
      lease: 1,
      outcome: { state: "unserved", error },
      retry: null,
    });
    expect(back).toMatchObject({ ...before, state: "queued", lease: 1, attempt: 0, error: JSON.stringify(error) });
    expect(await claimOne(db, 2)).toMatchObject({ id: before.id, attempt: 1, lease: 2, started_at: at(2) });
  });

  test("an attempt that has begun is put back to go on from its journal, and a lost lease puts nothing back", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    const { id } = await add(db, "a");
    const run = await claimOne(db, 1);
    if (run === undefined) throw new Error("nothing claimed");
    await addAttempt(db, run, 1);
    const outcome = { state: "unserved", error } as const;
    expect(await settle(db, { runId: id, attempt: 1, lease: 7, outcome, retry: null })).toBeUndefined();
    const back = await settle(db, { runId: id, attempt: 1, lease: 1, outcome, retry: null });
    expect(back).toMatchObject({ state: "queued", resumes: true, attempt: 1, started_at: at(1) });
    expect((await db.selectFrom("attempts").select("state").executeTakeFirst())?.state).toBe("suspended");
    expect(await claimOne(db, 2)).toMatchObject({ attempt: 1, lease: 2 });
  });

  test("a program that is older than the database claims nothing", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addJob(db, "a");
    await add(db, "a");
    await sql`insert into kysely_migration (name, timestamp) values ('9999-future', '2030-01-01')`.execute(db);
    expect(await claimOne(db, 1)).toBeUndefined();
    await sql`delete from kysely_migration where name = '9999-future'`.execute(db);
    expect(await claimOne(db, 1)).toBeDefined();
  });
});
