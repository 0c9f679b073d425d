import { expect, test } from "vitest";
import { storeKinds, testStore } from "../../tests/support/store.ts";
import { listEvents, recordEvent } from "./events.ts";

test.each(storeKinds)(
  "the audit trail is read latest first, by pages, kind, subject and actor, on %s",
  async (kind) => {
    await using store = await testStore(kind);
    const { db } = store;
    for (const [name, actor, subject] of [
      ["job.paused", "person", "a"],
      ["job.paused_long", "host 1.0", "a"],
      ["jobs.other", "person", "b"],
      ["job.resumed", "host 2.0", "a"],
    ] as const)
      await recordEvent(db, { kind: name, actor, subject, detail: { name } });
    const kinds = async (filter: Partial<Parameters<typeof listEvents>[1]>) =>
      (await listEvents(db, { limit: 10, ...filter })).map((event) => event.kind);

    expect(await kinds({})).toEqual(["job.resumed", "jobs.other", "job.paused_long", "job.paused"]);
    expect(await kinds({ kind: "job" })).toEqual(["job.resumed", "job.paused_long", "job.paused"]);
    expect(await kinds({ kind: "job.paused" })).toEqual(["job.paused"]);
    expect(await kinds({ subject: "a", actor: "host" })).toEqual(["job.resumed", "job.paused_long"]);
    const [, second] = await listEvents(db, { limit: 2 });
    expect(await kinds({ before: second?.id, limit: 1 })).toEqual(["job.paused_long"]);
  },
);
