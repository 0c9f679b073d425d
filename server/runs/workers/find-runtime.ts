import type { Store } from "../../store/open-store.ts";
import { isOfRelease } from "./needs.ts";
import { listWorkers } from "./read-workers.ts";
import type { WorkerSelf } from "./worker-self.ts";

/** The versions that a journal was written under. */
export type RuntimeVersions = Readonly<{ guestRuntime: string; v8: string | null; icu: string | null }>;

/** Another worker that lives, serves the job and can go on with such a journal; undefined where there is none. */
export async function findRuntime(
  store: Pick<Store, "db" | "kind">,
  self: Pick<WorkerSelf, "name">,
  { job, guestRuntime, v8, icu }: RuntimeVersions & { job: string },
): Promise<string | undefined> {
  const workers = await listWorkers(store);
  return workers.find(
    (worker) =>
      worker.name !== self.name &&
      worker.alive &&
      worker.state === "active" &&
      worker.problem === null &&
      worker.v8 === v8 &&
      worker.icu === icu &&
      worker.guest_runtimes.includes(guestRuntime) &&
      (worker.unserved[job] ?? []).every(isOfRelease),
  )?.name;
}
