import { setImmediate as turn } from "node:timers/promises";
import type { FrozenSchedule } from "../../../server/jobs/manifest.ts";
import type { ClockedStore } from "../database-clock.ts";
import type { SimulatedDaemon, World } from "./daemon.ts";
import { startDaemon } from "./daemon.ts";
import type { Epoch } from "./judge.ts";

export type Machine = {
  readonly name: string;
  daemon: SimulatedDaemon | undefined;
  asleep: boolean;
  /** How far its clock is ahead. */
  skewMs: number;
  starts: number;
};

/** Something that happens at a true time, and may see to what happens next. */
export type Blow = Readonly<{ at: number; name: string; deal(): Promise<void> }>;

/** What is simulated, as it is now. */
export type Life = {
  readonly world: World;
  readonly clocked: ClockedStore;
  readonly machines: readonly Machine[];
  now: number;
  /** How far the database's clock is ahead. */
  databaseSkewMs: number;
  blows: Blow[];
  readonly dealt: Record<string, number>;
  epochs: Epoch[];
  /** When some clock was wrong. */
  readonly unsteady: { from: number; to: number }[];
};

/** Daemons that run on machines that do not sleep. */
export function awake({ machines }: Life): SimulatedDaemon[] {
  return machines.flatMap(({ daemon, asleep }) => (daemon === undefined || asleep ? [] : [daemon]));
}

export function isSteady({ machines, databaseSkewMs }: Life): boolean {
  return databaseSkewMs === 0 && machines.every(({ skewMs }) => skewMs === 0);
}

/** Whether every clock has been right for so long that no slot is ahead of its time. */
export function hasBeenSteady(life: Life): boolean {
  return isSteady(life) && life.unsteady.every(({ to }) => to < life.now - 2 * 3_600_000);
}

/** Lets everything that is awake know the time. */
export async function tellTime(life: Life): Promise<void> {
  await life.clocked.setTime(life.now + life.databaseSkewMs);
  for (const daemon of awake(life)) daemon.look(life.now);
}

export function startOn(life: Life, machine: Machine): void {
  machine.starts += 1;
  machine.asleep = false;
  machine.daemon = startDaemon(life.world, `${machine.name}-${machine.starts}`, () => machine.skewMs, life.now);
}

/** Makes a schedule the job's active one, or none, and waits until a daemon has taken that in. */
export async function approve(life: Life, job: string, schedule: FrozenSchedule | undefined): Promise<void> {
  const { approvals, store } = life.world;
  await tellTime(life);
  const version = approvals.approve(job, schedule);
  life.epochs = life.epochs.map((epoch) =>
    epoch.job === job && epoch.to > life.now ? { ...epoch, to: life.now } : epoch,
  );
  if (schedule !== undefined) life.epochs.push({ job, schedule, from: life.now, to: Number.POSITIVE_INFINITY });
  for (;;) {
    const rows = await store.db.selectFrom("schedules").select("version").where("job", "=", job).execute();
    const known = schedule === undefined ? rows.length === 0 : rows[0]?.version === version;
    if (known) return;
    await turn();
  }
}
