import { pauseJob, resumeJob } from "../../../server/jobs/control.ts";
import { approve, awake, hasBeenSteady, isSteady, type Life, type Machine, startOn, tellTime } from "./life.ts";
import { randomSchedule } from "./schedules.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How long after one blow of a kind the next one comes, about. */
const machineEveryMs = 2 * dayMs;
const blackoutEveryMs = 5 * dayMs;
const databaseEveryMs = 25 * dayMs;
const jobEveryMs = 2 * dayMs;

/** Sets going what happens to the machines, the database and the jobs. */
export function expectBlows(life: Life): void {
  for (const machine of life.machines) later(life, machineEveryMs, "machine", () => strikeMachine(life, machine));
  later(life, databaseEveryMs, "database's clock jumps", () => jumpDatabase(life));
  later(life, blackoutEveryMs, "blackout", () => blackOut(life));
  later(life, jobEveryMs, "job", () => strikeJob(life));
}

function later(life: Life, aboutMs: number, name: string, deal: () => Promise<void>): void {
  const { random } = life.world;
  life.blows.push({ at: life.now + Math.round(aboutMs * (0.2 + 1.6 * random.next())), name, deal });
}

function count(life: Life, name: string): void {
  life.dealt[name] = (life.dealt[name] ?? 0) + 1;
}

async function strikeMachine(life: Life, machine: Machine): Promise<void> {
  const { random } = life.world;
  const again = () => later(life, machineEveryMs, "machine", () => strikeMachine(life, machine));
  const lasts = random.spread(minuteMs, 3 * dayMs);
  const what = random.pick(["sleeps", "sleeps", "is stopped", "is killed", "clock jumps", "clock jumps"] as const);
  count(life, `machine ${what}`);
  switch (what) {
    case "sleeps":
      machine.asleep = true;
      machine.daemon?.sleep();
      return later(life, lasts, "wakes", async () => {
        machine.asleep = false;
        machine.daemon?.wake(life.now);
        again();
      });
    case "is stopped":
    case "is killed":
      await machine.daemon?.stop(what === "is killed" ? "killed" : "clean");
      machine.daemon = undefined;
      return later(life, lasts, "starts", async () => {
        startOn(life, machine);
        again();
      });
    case "clock jumps":
      machine.skewMs = random.pick([hourMs, -hourMs]);
      unsteady(life);
      return later(life, lasts, "clock is put right", async () => {
        machine.skewMs = 0;
        steadyAgain(life);
        again();
      });
    default:
      return what satisfies never;
  }
}

/** Both machines sleep at once. */
async function blackOut(life: Life): Promise<void> {
  const { random } = life.world;
  const fell = life.machines.filter(({ asleep }) => !asleep);
  count(life, "blackout");
  for (const machine of fell) {
    machine.asleep = true;
    machine.daemon?.sleep();
  }
  later(life, random.spread(minuteMs, 4 * dayMs), "light", async () => {
    for (const machine of fell) {
      machine.asleep = false;
      machine.daemon?.wake(life.now);
    }
    later(life, blackoutEveryMs, "blackout", () => blackOut(life));
  });
}

async function jumpDatabase(life: Life): Promise<void> {
  const { random } = life.world;
  count(life, "database's clock jumps");
  life.databaseSkewMs = random.pick([hourMs, -hourMs]);
  unsteady(life);
  later(life, random.spread(10 * minuteMs, dayMs), "database's clock is put right", async () => {
    life.databaseSkewMs = 0;
    steadyAgain(life);
    later(life, databaseEveryMs, "database's clock jumps", () => jumpDatabase(life));
  });
}

async function strikeJob(life: Life): Promise<void> {
  const { random, store } = life.world;
  later(life, jobEveryMs, "job", () => strikeJob(life));
  const active = life.epochs.filter(({ to }) => to > life.now).map(({ job }) => job);
  if (active.length === 0) return;
  const job = random.pick(active);
  // Versions change while clocks are right, so that there is no doubt up to when the one before counts.
  const mayChange = hasBeenSteady(life) && awake(life).length > 0;
  const what = random.pick(
    mayChange ? (["pause", "pause", "change", "change", "revoke"] as const) : (["pause"] as const),
  );
  count(life, `job ${what}`);
  await tellTime(life);
  switch (what) {
    case "pause": {
      const change = { job, by: "agent", actor: "test 1" } as const;
      await pauseJob(store.db, { ...change, reason: null });
      return later(life, random.spread(hourMs, 6 * dayMs), "job resumes", async () => {
        await tellTime(life);
        await resumeJob(store.db, change);
      });
    }
    case "change":
      return approve(life, job, randomSchedule(random));
    case "revoke":
      await approve(life, job, undefined);
      return later(life, 3 * dayMs, "job is approved again", async () => {
        if (hasBeenSteady(life) && awake(life).length > 0) {
          await approve(life, job, randomSchedule(random));
        }
      });
    default:
      return what satisfies never;
  }
}

function unsteady(life: Life): void {
  life.unsteady.push({ from: life.now, to: Number.POSITIVE_INFINITY });
}

function steadyAgain(life: Life): void {
  if (isSteady(life)) for (const stretch of life.unsteady) stretch.to = Math.min(stretch.to, life.now);
}
