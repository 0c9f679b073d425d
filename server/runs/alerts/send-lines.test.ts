import { describe, expect, test } from "vitest";
import { storeKinds, testStore } from "../../../tests/support/store.ts";
import type { Db } from "../../store/open-store.ts";
import { type AlertMessage, sendLines } from "./send-lines.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 5, 8) + seconds * 1_000);

async function addLines(db: Db, target: string, texts: readonly string[], recovery = false): Promise<void> {
  const row = { target, recovery, created_at: at(0), held_until: null };
  await db
    .insertInto("alert_lines")
    .values(texts.map((text) => ({ ...row, text })))
    .execute();
}

const waiting = async (db: Db) =>
  (await db.selectFrom("alert_lines").select("text").orderBy("id").execute()).map(({ text }) => text);

describe.each(storeKinds)("lines of alerts on %s", (kind) => {
  test("several senders on one database send each line once", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    const texts = Array.from({ length: 18 }, (_, i) => `line ${i}`);
    const sent: string[] = [];
    const send = async ({ lines }: AlertMessage) => {
      sent.push(...lines);
    };
    const sender = async () => {
      for (let round = 0; round < 10; round += 1) await sendLines(db, { target: "me", send, now: at(0) });
    };
    const adding = (async () => {
      for (const text of texts) await addLines(db, "me", [text]);
    })();
    await Promise.all([adding, sender(), sender(), sender(), sender()]);
    await sender();
    expect(sent.toSorted()).toEqual(texts.toSorted());
    expect(await waiting(db)).toEqual([]);
  });

  test("while one sender is at it, another finds nothing; what a dead one held is sent a minute later", async () => {
    await using store = await testStore(kind);
    const { db } = store;
    await addLines(db, "me", ["a", "b"]);
    const begun = Promise.withResolvers<void>();
    // Never comes back, as in a process that was killed.
    const dead = sendLines(db, {
      target: "me",
      now: at(0),
      send: () => {
        begun.resolve();
        return new Promise(() => {});
      },
    });
    dead.catch(() => {});
    await begun.promise;
    const sent: AlertMessage[] = [];
    const send = async (message: AlertMessage) => {
      sent.push(message);
    };
    expect(await sendLines(db, { target: "me", send, now: at(59) })).toBe(false);
    expect(sent).toEqual([]);
    expect(await sendLines(db, { target: "me", send, now: at(60) })).toBe(true);
    expect(sent.map(({ lines }) => lines)).toEqual([["a", "b"]]);
    expect(await waiting(db)).toEqual([]);
  });
});

test("what does not arrive is given back at once, in order, and goes out with what came meanwhile", async () => {
  await using store = await testStore();
  const { db } = store;
  await addLines(db, "me", ["a", "b"]);
  const refuse = async () => {
    throw new Error("no route");
  };
  await expect(sendLines(db, { target: "me", send: refuse, now: at(0) })).rejects.toThrow("no route");
  await addLines(db, "me", ["c"], true);
  await addLines(db, "other", ["not for me"]);
  const sent: AlertMessage[] = [];
  const send = async (message: AlertMessage) => {
    sent.push(message);
  };
  await sendLines(db, { target: "me", send, now: at(0) });
  expect(sent).toMatchObject([{ target: "me", lines: ["a", "b", "c"], alerts: 2, recoveries: 1 }]);
  expect(await waiting(db)).toEqual(["not for me"]);
});

test("a flood is one message that shows twenty lines and counts all", async () => {
  await using store = await testStore();
  const { db } = store;
  await addLines(
    db,
    "me",
    Array.from({ length: 500 }, (_, i) => `line ${i}`),
  );
  const sent: AlertMessage[] = [];
  await sendLines(db, {
    target: "me",
    now: at(0),
    send: async (message) => {
      sent.push(message);
    },
  });
  expect(sent.map(({ lines, alerts }) => [lines.length, lines[0], alerts])).toEqual([[20, "line 0", 500]]);
  expect(await waiting(db)).toEqual([]);
});
