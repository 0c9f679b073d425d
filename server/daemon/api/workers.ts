import { Hono } from "hono";
import { z } from "zod";
import { needText } from "../../runs/workers/needs.ts";
import { listWorkers, type WorkerView, workerStanding } from "../../runs/workers/read-workers.ts";
import { removeWorker } from "../../runs/workers/remove-worker.ts";
import type { DaemonDeps } from "../deps.ts";
import { parseBody } from "./parse.ts";

/** Who executes runs: looking at them, and forgetting those that are gone. */
export function workersApi({ store }: Pick<DaemonDeps, "store">): Hono {
  return new Hono()
    .get("/api/workers", async (c) => c.json({ workers: (await listWorkers(store)).map(workerAnswer) }))
    .post("/api/workers/remove", async (c) => {
      const { name } = await parseBody(c, z.strictObject({ name: z.string().max(400) }));
      await removeWorker(store.db, name);
      return c.json({});
    });
}

/** A worker as the person's door tells of it. */
export function workerAnswer(worker: WorkerView) {
  const { name, host, role, home, pid, version, labels, running, max, problem, unserved } = worker;
  return {
    ...{ name, host, role, home, pid, version, labels, running, max, problem },
    state: workerStanding(worker),
    lacks: Object.entries(unserved).map(([job, needs]) => ({
      job,
      why: needs.map((need) => needText(need)).join(", "),
    })),
    started_at: worker.started_at.toISOString(),
    heartbeat_at: worker.heartbeat_at.toISOString(),
    silent_ms: Math.max(0, Math.round(worker.silent_ms)),
  };
}
