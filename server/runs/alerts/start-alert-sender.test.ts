import { pino } from "pino";
import { expect, test, vi } from "vitest";
import { type StoreKind, storeKinds, testStore } from "../../../tests/support/store.ts";
import type { NotifyMessage } from "../../effects/services.ts";
import { UserError } from "../../errors.ts";
import { silentLog } from "../../log.ts";
import type { Store } from "../../store/open-store.ts";
import { openAlerts, raiseAlert, resolveAlert } from "../alerts.ts";
import { type AlertSenderOptions, startAlertSender } from "./start-alert-sender.ts";

/** Long enough ago that nothing is gathered any more. */
const past = new Date(Date.now() - 60_000);
const refusal = new UserError("notify_failed", "it answered 500");

/** Targets that keep what they get, and refuse while they are listed in `down`. */
function targets() {
  const received: NotifyMessage[] = [];
  const tried: string[] = [];
  const down = new Set<string>();
  let heard = Promise.withResolvers<void>();
  return {
    received,
    tried,
    down,
    async notify(message: NotifyMessage): Promise<void> {
      tried.push(message.target);
      const refused = down.has(message.target);
      if (!refused) received.push(message);
      heard.resolve();
      heard = Promise.withResolvers();
      if (refused) throw refusal;
    },
    /** Resolves once that is so, looked at after every message. */
    async until(so: () => boolean): Promise<void> {
      while (!so()) await heard.promise;
    },
  };
}

function sender(store: Store, notify: AlertSenderOptions["notify"], more: Partial<AlertSenderOptions> = {}) {
  return startAlertSender({
    store,
    settings: { targets: ["me"], everyMs: 3_600_000, recovery: true },
    timezone: "UTC",
    notify,
    clean: (text) => text,
    machine: "box",
    problems: new Map(),
    log: silentLog,
    ...more,
  });
}

const fail = (store: Store, job: string) =>
  raiseAlert(store.db, { key: `job:${job}:failed`, message: `${job} failed`, now: past });
const linesLeft = async (store: Store) =>
  (await store.db.selectFrom("alert_lines").select("text").execute()).map(({ text }) => text);

test.each(storeKinds)("what happened goes out in one message, and so does its end (%s)", async (kind: StoreKind) => {
  await using store = await testStore(kind);
  const me = targets();
  await fail(store, "feed");
  await fail(store, "bills");
  await using _ = sender(store, me.notify);
  await me.until(() => me.received.length === 1);
  await resolveAlert(store.db, { key: "job:feed:failed", now: past });
  await me.until(() => me.received.length === 2);
  expect(me.received).toEqual([
    {
      target: "me",
      title: "JobRunner on box: 2 alerts",
      text: "bills failed. jr job bills\nfeed failed. jr job feed",
      urgency: "high",
    },
    {
      target: "me",
      title: "JobRunner on box: 1 over",
      text: expect.stringMatching(/^Over after .*: feed failed\. jr job feed$/),
      urgency: "normal",
    },
  ]);
});

test.each(storeKinds)("several daemons on one database tell of each alert once (%s)", async (kind: StoreKind) => {
  await using store = await testStore(kind);
  const me = targets();
  const jobs = Array.from({ length: 12 }, (_, i) => `job-${String(i).padStart(2, "0")}`);
  {
    await using _1 = sender(store, me.notify);
    await using _2 = sender(store, me.notify);
    await using _3 = sender(store, me.notify);
    for (const job of jobs) await fail(store, job);
    await me.until(() => me.received.flatMap(({ text }) => text.split("\n")).length >= jobs.length);
  }
  expect(me.received.flatMap(({ text }) => text.split("\n")).toSorted()).toEqual(
    jobs.map((job) => `${job} failed. jr job ${job}`),
  );
  expect(await linesLeft(store)).toEqual([]);
});

test("a dead target holds up no other, is said once in the log, raises no alert itself, and gets all once it is back", async () => {
  await using store = await testStore();
  const me = targets();
  me.down.add("dead");
  const logged: string[] = [];
  const log = pino({ level: "info" }, { write: (line: string) => logged.push(line) });
  let elapsedMs = 0;
  const settings = { targets: ["dead", "me"], everyMs: 3_600_000, recovery: true };
  await using alerts = sender(store, me.notify, { settings, log, elapsedMs: () => elapsedMs });
  const triesOf = (target: string) => me.tried.filter((each) => each === target).length;
  await fail(store, "first");
  await me.until(() => me.received.length === 1 && triesOf("dead") === 1);
  await vi.waitUntil(() => alerts.failing().length === 1);
  // No time passes, so it is left alone whatever happens.
  for (const job of ["second", "third"]) {
    const before = me.received.length;
    await fail(store, job);
    await me.until(() => me.received.length === before + 1);
  }
  expect(triesOf("dead")).toBe(1);
  expect(alerts.failing()).toMatchObject([{ target: "dead", message: "it answered 500" }]);
  elapsedMs += 30_000;
  await fail(store, "fourth");
  await me.until(() => triesOf("dead") === 2);
  expect(logged.filter((line) => line.includes("do not reach"))).toHaveLength(1);
  expect(await openAlerts(store.db)).toHaveLength(4);
  // Given back, so the pause that has begun is counted from here.
  const held = () => store.db.selectFrom("alert_lines").select("id").where("held_until", "is not", null).execute();
  await vi.waitUntil(async () => (await held()).length === 0);

  me.down.clear();
  // However long the pause has become by now.
  elapsedMs += 3_600_000;
  await fail(store, "fifth");
  const late = () => me.received.filter(({ target }) => target === "dead").flatMap(({ text }) => text.split("\n"));
  await me.until(() => late().length >= 5);
  expect(late().map((line) => line.split(" ")[0])).toEqual(["first", "second", "third", "fourth", "fifth"]);
  await vi.waitUntil(() => alerts.failing().length === 0);
});

test("a target that cannot work here is told of at once, and counts as failing until something arrives", async () => {
  await using store = await testStore();
  const me = targets();
  await using alerts = sender(store, me.notify, { problems: new Map([["me", "notify-send is not installed"]]) });
  expect(alerts.failing()).toMatchObject([{ target: "me", message: "notify-send is not installed" }]);
});

test("without a target nothing is sent and nothing counts as told, so a target that is set later is told of what is open", async () => {
  await using store = await testStore();
  const me = targets();
  await fail(store, "feed");
  {
    await using _ = sender(store, me.notify, { settings: { targets: [], everyMs: 3_600_000, recovery: true } });
  }
  expect(me.tried).toEqual([]);
  await using _ = sender(store, me.notify);
  await me.until(() => me.received.length === 1);
  expect(me.received[0]?.text).toBe("feed failed. jr job feed");
});

test("an end waits for a message under way, and aborts one that never ends; its line is kept", async () => {
  await using store = await testStore();
  await fail(store, "feed");
  const begun = Promise.withResolvers<void>();
  const stuck = sender(store, (_message, { signal }) => {
    begun.resolve();
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  await begun.promise;
  await stuck[Symbol.asyncDispose]();
  expect(await linesLeft(store)).toEqual(["feed failed. jr job feed"]);
  expect(stuck.failing()).toEqual([]);
});

test("a notification that was lost does not keep an alert from being sent", async () => {
  await using store = await testStore();
  const me = targets();
  const deaf: Store = { ...store, listen: async () => async () => {} };
  await using _ = sender(deaf, me.notify);
  await fail(store, "feed");
  await me.until(() => me.received.length === 1);
  expect(me.received[0]?.text).toBe("feed failed. jr job feed");
});
