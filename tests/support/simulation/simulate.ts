import { findNextSlot } from "../../../server/runs/fire-slots.ts";
import { clockedStore } from "../database-clock.ts";
import { seededRandom } from "../random.ts";
import { addJob } from "../runs.ts";
import type { StoreKind } from "../store.ts";
import { testApprovals } from "./approvals.ts";
import { expectBlows } from "./blows.ts";
import { type Judgement, judge } from "./judge.ts";
import { approve, awake, type Life, startOn, tellTime } from "./life.ts";
import { randomSchedule } from "./schedules.ts";

const hourMs = 3_600_000;

export type Simulation = Readonly<{
  kind: StoreKind;
  schedules: number;
  from: number;
  to: number;
  seed: number;
  /** Told of each month that is over. */
  say?: (text: string) => void;
}>;

/**
 * Lets the scheduler and the queue live through a stretch of time within minutes, on two machines that sleep, whose clocks jump
 * by an hour and whose daemons come and go, with jobs that are paused, changed and revoked. Then tells what is wrong with what
 * stands on record.
 */
export async function simulate({
  kind,
  schedules,
  from,
  to,
  seed,
  say = () => {},
}: Simulation): Promise<Judgement & Pick<Life, "dealt">> {
  await using clocked = await clockedStore(kind, from);
  const random = seededRandom(seed);
  const { db } = clocked.store;
  const life: Life = {
    clocked,
    world: {
      store: clocked.store,
      approvals: testApprovals(),
      random,
      seen: { ticks: [], ends: new Map(), claims: new Map() },
    },
    machines: ["first", "second"].map((name) => ({ name, daemon: undefined, asleep: false, skewMs: 0, starts: 0 })),
    now: from,
    databaseSkewMs: 0,
    blows: [],
    dealt: {},
    epochs: [],
    unsteady: [],
  };
  for (const machine of life.machines) startOn(life, machine);
  for (let i = 1; i <= schedules; i++) {
    await addJob(db, `job-${i}`);
    await approve(life, `job-${i}`, randomSchedule(random));
  }
  expectBlows(life);
  for (let month = -1; life.now < to; ) {
    await goOn(life, to);
    if (month !== new Date(life.now).getUTCMonth()) {
      month = new Date(life.now).getUTCMonth();
      say(`${new Date(life.now).toISOString().slice(0, 10)}: ${life.world.seen.claims.size} runs`);
    }
  }
  const end = await settleDown(life);
  const judgement = await judge({
    db,
    epochs: life.epochs.map((epoch) => ({ ...epoch, to: Math.min(epoch.to, end) })),
    seen: life.world.seen,
    steadyAt: (ms) =>
      !life.unsteady.some((stretch) => stretch.from - 3 * hourMs <= ms && ms <= stretch.to + 3 * hourMs),
  });
  for (const { daemon } of life.machines) await daemon?.stop("clean");
  return { ...judgement, dealt: life.dealt };
}

/** Goes on to the next moment at which something happens, at the latest to `until`, and lets it happen. */
async function goOn(life: Life, until: number): Promise<void> {
  const { random, store } = life.world;
  const nextSlot = (await findNextSlot(store.db))?.getTime() ?? Number.POSITIVE_INFINITY;
  // Mostly within a second of the slot, at times much later, as on a machine that is busy.
  const latenessMs = random.chance(0.03) ? random.whole(1_000, 40_000) : random.whole(0, 900);
  const times = [
    until,
    ...life.blows.map(({ at }) => at),
    ...life.machines.flatMap(({ daemon, asleep, skewMs }) =>
      daemon === undefined || asleep ? [] : [nextSlot - skewMs + latenessMs, daemon.nextMs()],
    ),
  ];
  life.now = Math.max(life.now + 1, Math.min(...times));
  const due = life.blows.filter(({ at }) => at <= life.now);
  life.blows = life.blows.filter(({ at }) => at > life.now);
  for (const blow of due) await blow.deal();
  await liveOn(life);
}

async function liveOn(life: Life): Promise<void> {
  const { random } = life.world;
  await tellTime(life);
  const daemons = awake(life);
  // They renew every two seconds; one that is late with it must do no harm either.
  for (const daemon of daemons) if (random.chance(0.99)) await daemon.renew();
  const order = random.chance(0.5) ? daemons : daemons.toReversed();
  const [first] = order;
  // Both at once, one after the other, or one so late that the other has done it all.
  if (random.chance(0.3)) await Promise.all(order.map((daemon) => daemon.step()));
  else if (random.chance(0.4)) for (const daemon of order) await daemon.step();
  else await first?.step();
}

/** All is well again; then no further slot comes, and every run ends. Gives the time up to which slots have come. */
async function settleDown(life: Life): Promise<number> {
  const { db } = life.world.store;
  life.blows = [];
  life.databaseSkewMs = 0;
  for (const machine of life.machines) {
    machine.skewMs = 0;
    if (machine.daemon === undefined) startOn(life, machine);
    else machine.daemon.wake(life.now);
    machine.asleep = false;
  }
  await db.updateTable("jobs").set({ state: "active", paused_by: null }).execute();
  // What a clock that was ahead took for due comes in any case.
  const end = life.now + 2 * hourMs;
  while (life.now < end) await goOn(life, end);
  await db.updateTable("schedules").set({ next_slot: null }).execute();
  for (let steps = 0; steps < 5_000; steps++) {
    const live = await db
      .selectFrom("runs")
      .select("id")
      .where("state", "in", ["queued", "running", "suspended"])
      .limit(1)
      .executeTakeFirst();
    if (live === undefined) break;
    life.now += 600_000;
    await liveOn(life);
  }
  return end;
}
