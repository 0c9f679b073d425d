/*
 * A process in which one contestant works, driven by open-stand.ts. What is measured is measured here, on this side of the pipe.
 */
import { z } from "zod";
import { contestants } from "./table.ts";

const argument = z.object({
  name: z.string(),
  ground: z.object({ folder: z.string(), databaseUrl: z.string(), redisPort: z.number(), holdUrl: z.string() }),
});
const order = z.discriminatedUnion("what", [
  z.object({ what: z.literal("first lines"), count: z.number() }),
  z.object({ what: z.literal("many"), count: z.number() }),
  z.object({ what: z.literal("chain"), count: z.number() }),
  z.object({ what: z.literal("slots"), count: z.number(), load: z.boolean() }),
  z.object({ what: z.literal("hold") }),
  z.object({ what: z.literal("end") }),
]);

const { name, ground } = argument.parse(JSON.parse(process.argv[2] ?? ""));
const entry = contestants.find((each) => each.name === name);
if (entry === undefined) throw new Error(`nobody here is called ${name}`);
const { start } = await entry.load();

let lineAt = Number.NaN;
let slotSeen = () => {};
const contestant = await start({
  ...ground,
  onLine() {
    lineAt = performance.now();
  },
  onSlot: () => slotSeen(),
});

async function firstLine(): Promise<number> {
  const from = performance.now();
  await contestant.run();
  return lineAt - from;
}

async function times(count: number, work: () => Promise<number>): Promise<number[]> {
  const values: number[] = [];
  for (let i = 0; i < count; i++) values.push(await work());
  return values;
}

/** Milliseconds after its second of each slot; with `load`, two more runs are under way at any time. */
async function slots(count: number, load: boolean): Promise<number[]> {
  if (contestant.everySecond === undefined) return [];
  let loaded = load;
  const rounds = async () => {
    while (loaded) await contestant.run();
  };
  const loads = [rounds(), rounds()];
  const late: number[] = [];
  const enough = Promise.withResolvers<void>();
  const stop = await contestant.everySecond();
  // The first ones find caches cold.
  let skip = 2;
  slotSeen = () => {
    const ms = (performance.timeOrigin + performance.now()) % 1_000;
    if (skip-- > 0) return;
    late.push(ms);
    if (late.length === count) enough.resolve();
  };
  await enough.promise;
  slotSeen = () => {};
  await stop();
  loaded = false;
  await Promise.all(loads);
  return late;
}

async function obey(message: unknown): Promise<number[]> {
  const said = order.parse(message);
  switch (said.what) {
    case "first lines":
      return times(said.count, firstLine);
    case "many": {
      const from = performance.now();
      await Promise.all(Array.from({ length: said.count }, () => contestant.run()));
      return [performance.now() - from];
    }
    case "chain": {
      const from = performance.now();
      for (let i = 0; i < said.count; i++) await contestant.run();
      return [performance.now() - from];
    }
    case "slots":
      return slots(said.count, said.load);
    case "hold":
      await contestant.hold?.();
      return [];
    case "end":
      await contestant[Symbol.asyncDispose]();
      return [];
    default:
      return said satisfies never;
  }
}

process.on("message", (message) => {
  obey(message).then(
    (values) => process.send?.({ values }),
    (thrown: unknown) => process.send?.({ problem: thrown instanceof Error ? thrown.stack : String(thrown) }),
  );
});
process.send?.({ values: [] });
