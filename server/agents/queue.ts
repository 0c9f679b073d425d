import { sql } from "kysely";
import { heartbeatMs, lostAfterMs } from "../runs/queue/heartbeat.ts";
import { inTransaction } from "../store/in-transaction.ts";
import type { Db } from "../store/open-store.ts";
import type { Row } from "../store/tables.ts";
import { storableText } from "../store/text.ts";
import type { AgentError } from "./agent-error.ts";
import { sendAgentNotice } from "./agent-notices.ts";
import { wakeWaitingRun } from "./wake-waiting-run.ts";

/** A lease of an agent: its fencing token counts up at each claim. */
export type AgentLease = Readonly<{ agentId: number; lease: number }>;

/** How the work of one process on an agent ended. `lost` and `put_back` go on from the recorded steps. */
export type AgentSettlement =
  | Readonly<{ state: "succeeded"; output: string }>
  | Readonly<{ state: "failed"; error: AgentError }>
  | Readonly<{ state: "cancelled" }>
  | Readonly<{ state: "put_back" }>
  | Readonly<{ state: "lost"; message: string }>;

/** An agent whose process died this often without one more step is given up. */
const mostLosses = 3;
const lostPauseMs = 1_000;

/** Leases up to `limit` waiting agents to `owner`: the most urgent first, then the oldest. */
export async function claimAgents(
  db: Db,
  { owner, limit }: Readonly<{ owner: string; limit: number }>,
): Promise<Row<"agents">[]> {
  if (limit <= 0) return [];
  const { rows } = await sql<Row<"agents">>`
    update agents set state = 'running', attempt = attempt + 1, lease = lease + 1, lease_owner = ${owner},
      heartbeat_at = now(), started_at = coalesce(started_at, now())
    where id in (
      select id from agents where state = 'queued' and run_at <= now()
      order by case urgency when 'now' then 0 when 'high' then 1 when 'normal' then 2 else 3 end, id
      limit ${limit} for update skip locked)
    returning *`.execute(db);
  return rows.sort((a, b) => a.id - b.id);
}

/** Renews the given leases, and tells which are lost and which agents someone asked to cancel. */
export async function beatAgents(
  db: Db,
  { owner, leases }: Readonly<{ owner: string; leases: readonly AgentLease[] }>,
): Promise<{ lost: AgentLease[]; cancelled: AgentLease[] }> {
  if (leases.length === 0) return { lost: [], cancelled: [] };
  const held = sql.join(leases.map(({ agentId, lease }) => sql`(${agentId}::bigint, ${lease}::integer)`));
  const { rows } = await sql<{ id: number; lease: number; cancel: boolean }>`
    update agents set active_ms = active_ms + ${sinceBeat}, heartbeat_at = now()
    where state = 'running' and lease_owner = ${owner} and (id, lease) in (${held})
    returning id, lease, cancel_requested_at is not null as cancel`.execute(db);
  const find = (held: AgentLease) => rows.find(({ id, lease }) => id === held.agentId && lease === held.lease);
  return {
    lost: leases.filter((lease) => find(lease) === undefined),
    cancelled: leases.filter((lease) => find(lease)?.cancel === true),
  };
}

/** A machine that slept or lost its database was not at work. */
const sinceBeat = sql<number>`least(extract(epoch from now() - heartbeat_at) * 1000, ${3 * heartbeatMs}::integer)::bigint`;

/** Ends or puts back an agent, if the lease still holds; undefined where it does not. */
export async function settleAgent(
  db: Db,
  { agentId, lease, outcome }: AgentLease & Readonly<{ outcome: AgentSettlement }>,
): Promise<Row<"agents"> | undefined> {
  return inTransaction(db, async (trx) => {
    const held = await trx
      .selectFrom("agents")
      .selectAll()
      .where("id", "=", agentId)
      .where("lease", "=", lease)
      .where("state", "=", "running")
      .forUpdate()
      .executeTakeFirst();
    if (held === undefined) return undefined;
    const end = endOf(held, outcome);
    const row = await trx
      .updateTable("agents")
      .set({
        ...end,
        lease_owner: null,
        active_ms: sql<number>`active_ms + ${sinceBeat}`,
        finished_at: end.state === "queued" ? null : sql<Date>`now()`,
        run_at: end.state === "queued" && end.lost > held.lost ? new Date(Date.now() + lostPauseMs) : held.run_at,
      })
      .where("id", "=", agentId)
      .returningAll()
      .executeTakeFirstOrThrow();
    await sendAgentNotice(trx, end.state === "queued" ? { kind: "queued" } : { kind: "ended", agentId });
    if (end.state !== "queued") await wakeWaitingRun(trx, row.parent_run);
    return row;
  });
}

function endOf(held: Row<"agents">, outcome: AgentSettlement) {
  const ended = { output: null, error: null, lost: held.lost };
  const cancelled = held.cancel_requested_at !== null;
  switch (outcome.state) {
    case "succeeded":
      return { ...ended, state: "succeeded", output: storableText(outcome.output) } as const;
    case "failed":
      return { ...ended, state: "failed", error: storableText(JSON.stringify(outcome.error)) } as const;
    case "cancelled":
      return { ...ended, state: "cancelled" } as const;
    case "put_back":
      return { ...ended, state: cancelled ? "cancelled" : "queued" } as const;
    case "lost": {
      if (cancelled) return { ...ended, state: "cancelled" } as const;
      const lost = held.lost + 1;
      if (lost < mostLosses) return { ...ended, state: "queued", lost } as const;
      const error: AgentError = { reason: "lost", class: "transient", message: outcome.message };
      return { ...ended, state: "failed", lost, error: storableText(JSON.stringify(error)) } as const;
    }
    default:
      return outcome satisfies never;
  }
}

/**
 * Takes back agents whose lease was not renewed for too long, or every lease that is not `onlyOwner`'s where no other process can open
 * the store. Returns what became of them.
 */
export async function reapAgents(
  db: Db,
  { onlyOwner }: Readonly<{ onlyOwner?: string | undefined }> = {},
): Promise<Row<"agents">[]> {
  return inTransaction(db, async (trx) => {
    const dead = await trx
      .selectFrom("agents")
      .select(["id", "lease", "lease_owner"])
      .where("state", "=", "running")
      .where((eb) =>
        onlyOwner === undefined
          ? eb("heartbeat_at", "<", sql<Date>`now() - ${lostAfterMs}::integer * interval '1 millisecond'`)
          : eb("lease_owner", "is distinct from", onlyOwner),
      )
      .orderBy("id")
      .limit(100)
      .forUpdate()
      .skipLocked()
      .execute();
    const changed: Row<"agents">[] = [];
    for (const { id: agentId, lease, lease_owner } of dead) {
      const message = `the daemon ${lease_owner ?? "unknown"} stopped without a word while it worked on this`;
      const row = await settleAgent(trx, { agentId, lease, outcome: { state: "lost", message } });
      if (row !== undefined) changed.push(row);
    }
    return changed;
  });
}
