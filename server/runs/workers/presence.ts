import { messageOf } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { findNewerMigration } from "../../store/migrate.ts";
import { notify, type Store } from "../../store/open-store.ts";
import { createWake } from "../wake.ts";
import { beat, register, type WorkerNow } from "./beat.ts";
import { createOverseer, goneAfterMs } from "./overseer.ts";
import { type WorkerSelf, workersChannel } from "./worker-self.ts";

/** A worker on record, until it is disposed: then it is `gone`, in order. */
export type Presence = AsyncDisposable &
  Readonly<{
    /** Tells the others that it takes no further runs. */
    draining(): void;
  }>;

type Deps = Readonly<{
  store: Store;
  self: WorkerSelf;
  /** What it does now. */
  now: () => Omit<WorkerNow, "state">;
  /** A newer program has migrated the database; told once, with the migration's name. */
  onNewer: (migration: string) => void;
  log: Log;
}>;

const everyMs = 2_000;
/** An embedded store is read by its own daemon alone, so that a row which says the same is written once a minute. */
const embeddedEveryMs = 60_000;
const overseeEveryMs = 10_000;

/** Puts a worker on record, keeps its heartbeat, and looks after the others: whom nobody has heard of, and which runs nobody serves. */
export async function keepPresence({ store, self, now, onNewer, log }: Deps): Promise<Presence> {
  const { db, kind } = store;
  const wake = createWake();
  const overseer = createOverseer({ store, log, clock: () => performance.now() });
  let state: WorkerNow["state"] = "active";
  let toldState: WorkerNow["state"] = state;
  let written = "";
  let writtenAt = performance.now();
  let steadySince = writtenAt;
  let overseenAt = writtenAt;
  let isNewer = false;
  let failing = false;

  async function write(): Promise<void> {
    const row: WorkerNow = { ...now(), state };
    const text = JSON.stringify(row);
    const at = performance.now();
    if (kind === "pglite" && text === written && at - writtenAt < embeddedEveryMs) return;
    const { newer } = await beat(db, self, row);
    // After a pause (database away, machine asleep) the others get the time to tell of themselves first.
    if (at - writtenAt > 3 * everyMs) steadySince = at;
    written = text;
    writtenAt = at;
    // What it was left to serve is the others' from now on.
    if (row.state !== toldState) await notify(db, workersChannel);
    toldState = row.state;
    if (newer !== undefined) tellNewer(newer);
  }

  function tellNewer(migration: string): void {
    if (isNewer) return;
    isNewer = true;
    onNewer(migration);
  }

  async function round(): Promise<void> {
    try {
      await write();
      const at = performance.now();
      if (at - overseenAt >= overseeEveryMs) {
        overseenAt = at;
        await overseer.look({ steady: kind === "postgres" && at - steadySince > goneAfterMs });
      }
      failing = false;
    } catch (thrown) {
      // What a newer program has made of the tables may be the very reason.
      const newer = await findNewerMigration(db).catch(() => undefined);
      if (newer !== undefined) tellNewer(newer);
      if (!failing) log.warn({ err: thrown }, `this worker could not tell that it lives: ${messageOf(thrown)}`);
      failing = true;
    }
  }

  async function loop(): Promise<void> {
    for (;;) {
      await wake.wait(everyMs);
      if (state === "gone") return;
      await round();
    }
  }

  await register(db, self, { ...now(), state }, kind === "pglite");
  const beating = loop();

  return {
    draining() {
      state = "draining";
      wake.ring();
    },
    async [Symbol.asyncDispose]() {
      state = "gone";
      wake.ring();
      await beating;
      await write().catch((thrown) => log.warn({ err: thrown }, "this worker could not tell that it ends"));
    },
  };
}
