import type { Grounds } from "./grounds.ts";
import { openStand } from "./open-stand.ts";
import type { Subject } from "./subject.ts";
import type { ContestantName } from "./table.ts";

const limits: Partial<Record<ContestantName, string>> = {
  "graphile-worker": "its jobs are unlocked after 4 hours",
  "pg-boss": "its jobs expire after 15 minutes, which is its default",
  "bullmq, sandboxed": "locks of 30 s, looked at every 30 s, its defaults",
};

/** A contestant in a process of its own; after it is killed the same is started again on the same store. */
export async function standSubject(grounds: Grounds, name: ContestantName, holdUrl: string): Promise<Subject> {
  const ground = { ...(await grounds.of(name)), holdUrl };
  let stand = await openStand(name, ground);
  const limit = limits[name];
  return {
    name,
    pids: () => [stand.pid, ...grounds.servers(name)],
    hold: async () => void (await stand.ask({ what: "hold" })),
    ...(limit === undefined
      ? {}
      : {
          async loseAndReplace() {
            await stand.kill();
            stand = await openStand(name, ground);
          },
        }),
    limits: limit ?? "nothing of a run is on record",
    [Symbol.asyncDispose]: () => stand.kill(),
  };
}
