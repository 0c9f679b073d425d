import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";
import { keepBeating } from "../runs/keep-beating.ts";
import { createWake } from "../runs/wake.ts";
import type { Store } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { agentsChannel, parseAgentNotice } from "./agent-notices.ts";
import { cancelOrphans } from "./cancel-agent.ts";
import { type AgentLease, type AgentSettlement, beatAgents, claimAgents, reapAgents, settleAgent } from "./queue.ts";
import { LeaseLost } from "./record-steps.ts";
import type { Session } from "./serve/create-handlers.ts";

export type SupervisorOptions = Readonly<{
  store: Store;
  /** Works on a claimed agent; ends soon after the signal aborts. */
  run(agent: Row<"agents">, how: Pick<Session, "signal" | "whileWaiting">): Promise<AgentSettlement>;
  log: Log;
  /** Most agents at work at a time; those that wait for another one do not count. */
  max: number;
  /** Unique per process. */
  owner: string;
}>;

export type Supervisor = Readonly<{
  /** Claims no more, stops what is at work and puts it back: it goes on from its steps. */
  drain(): Promise<void>;
  stats(): { running: number; waiting: number; max: number };
}>;

type Flight = {
  agent: Row<"agents">;
  controller: AbortController;
  end: "settle" | "put_back" | "drop";
  done: Promise<void>;
};

const pollMs = 1_000;
/** How long an aborted agent may take to end before it is put back regardless. */
const abortMs = 3_000;

/** Starts to take up agents: as runs are, by leases that heartbeats renew and a fencing token guards. */
export function startSupervisor({ store, run, log, max, owner }: SupervisorOptions): Supervisor {
  const flights = new Set<Flight>();
  const wake = createWake();
  const stopped = new AbortController();
  let waiting = 0;
  let draining = false;

  async function whileWaiting<T>(work: () => Promise<T>): Promise<T> {
    waiting += 1;
    wake.ring();
    try {
      return await work();
    } finally {
      waiting -= 1;
    }
  }

  function start(agent: Row<"agents">): void {
    const controller = new AbortController();
    const flight: Flight = { agent, controller, end: "settle", done: Promise.resolve() };
    flights.add(flight);
    log.info({ agent: agent.id, role: agent.role, attempt: agent.attempt, trace: agent.trace_id }, "agent taken up");
    flight.done = fly(flight).finally(() => {
      flights.delete(flight);
      wake.ring();
    });
    // From a claim that was under way.
    if (draining) abort(flight, "put_back", "shutdown");
  }

  async function fly(flight: Flight): Promise<void> {
    const { agent, controller } = flight;
    let outcome: AgentSettlement;
    try {
      outcome = await run(agent, { signal: controller.signal, whileWaiting });
    } catch (thrown) {
      if (thrown instanceof LeaseLost) return;
      log.error({ err: thrown, agent: agent.id, trace: agent.trace_id }, "an agent broke down");
      outcome = { state: "lost", message: messageOf(thrown) };
    }
    if (flight.end === "drop") return;
    const putBack = flight.end === "put_back" && outcome.state === "cancelled";
    await settleSurely(agent, putBack ? { state: "put_back" } : outcome);
  }

  /** Keeps trying while the database is away: nobody else can take the agent over in that time either. */
  async function settleSurely(agent: Row<"agents">, outcome: AgentSettlement): Promise<void> {
    for (let failures = 0; !stopped.signal.aborted; failures++) {
      try {
        const settled = await settleAgent(store.db, { agentId: agent.id, lease: agent.lease, outcome });
        log.info({ agent: agent.id, state: settled?.state ?? "not ours", trace: agent.trace_id }, "agent let go");
        return;
      } catch (thrown) {
        if (failures === 0)
          log.error({ err: thrown, agent: agent.id }, "an agent's end could not be written; trying again");
        await sleep(Math.min(100 * 2 ** failures, 2_000), undefined, { signal: stopped.signal }).catch(() => undefined);
      }
    }
  }

  function abort(flight: Flight, end: Flight["end"], why: string): void {
    if (flight.controller.signal.aborted) return;
    flight.end = end;
    flight.controller.abort(new Error(why));
  }

  async function claimLoop(): Promise<void> {
    for (let failures = 0; !draining; ) {
      let waitMs = pollMs;
      try {
        for (const agent of await claimAgents(store.db, { owner, limit: max + waiting - flights.size })) start(agent);
        failures = 0;
      } catch (thrown) {
        log.error({ err: thrown }, `agents cannot be taken up: ${messageOf(thrown)}`);
        waitMs = Math.min(100 * 2 ** failures++, 2_000);
      }
      if (!draining) await wake.wait(waitMs);
    }
  }

  async function beat(): Promise<void> {
    const held = [...flights];
    if (held.length > 0) await cancelOrphans(store.db);
    const leases = held.map(({ agent }) => ({ agentId: agent.id, lease: agent.lease }));
    const { lost, cancelled } = await beatAgents(store.db, { owner, leases });
    const flightOf = (lease: AgentLease) =>
      held.find(({ agent }) => agent.id === lease.agentId && agent.lease === lease.lease);
    for (const lease of lost) {
      const flight = flightOf(lease);
      if (flight !== undefined && flights.has(flight)) abort(flight, "drop", "lease lost");
    }
    for (const lease of cancelled) {
      const flight = flightOf(lease);
      if (flight !== undefined) abort(flight, "settle", "cancelled");
    }
  }

  async function reapNow(onlyOwner?: string): Promise<void> {
    const left = await reapAgents(store.db, { onlyOwner });
    for (const { id, state, trace_id } of left)
      log.warn({ agent: id, state, trace: trace_id }, "an agent was left behind");
    if (left.length > 0) wake.ring();
  }

  async function begin(): Promise<void> {
    // PGlite is ours alone, so that every lease in it is a dead daemon's; elsewhere leases have to run out.
    if (store.kind === "pglite") await reapNow(owner).catch((err: unknown) => log.error({ err }, "old agents stay"));
    const onFailure = (err: unknown) => log.warn({ err }, "heartbeats of agents fail");
    await Promise.all([claimLoop(), keepBeating({ beat, reap: reapNow, onFailure, signal: stopped.signal })]);
  }

  const listening = store
    .listen(agentsChannel, (payload) => {
      const notice = parseAgentNotice(payload);
      if (notice?.kind === "cancel") {
        const ours = [...flights].find(({ agent }) => agent.id === notice.agentId);
        if (ours !== undefined) abort(ours, "settle", "cancelled");
      } else if (notice?.kind === "queued") wake.ring();
    })
    .catch((thrown: unknown) => {
      log.warn({ err: thrown }, "no notifications of agents; polling once a second");
      return async () => {};
    });
  const loops = begin().catch((thrown: unknown) => log.fatal({ err: thrown }, "the supervisor of agents stopped"));

  return {
    async drain() {
      draining = true;
      wake.ring();
      // A turn of a model takes long, and all that is recorded is kept: nobody waits for its end.
      for (const flight of flights) abort(flight, "put_back", "shutdown");
      await Promise.race([
        Promise.all([...flights].map(({ done }) => done)),
        sleep(abortMs, undefined, { ref: false }),
      ]);
      for (const flight of flights) flight.end = "drop";
      stopped.abort();
      await loops;
      await (await listening)();
    },
    stats: () => ({ running: flights.size, waiting, max }),
  };
}
