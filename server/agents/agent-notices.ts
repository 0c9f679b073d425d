import { type Db, notify } from "../store/open-store.ts";

/** Notifications of the `agents` channel. They are hints: each can be lost, so every listener also polls. */
export type AgentNotice = { kind: "queued" } | { kind: "ended"; agentId: number } | { kind: "cancel"; agentId: number };

export const agentsChannel = "agents";

/** Sends a notice when the transaction of `db` commits. */
export function sendAgentNotice(db: Db, notice: AgentNotice): Promise<void> {
  return notify(db, agentsChannel, notice.kind === "queued" ? "queued" : `${notice.kind} ${notice.agentId}`);
}

/** The notice in a payload, or undefined where it is none that this release knows. */
export function parseAgentNotice(payload: string): AgentNotice | undefined {
  if (payload === "queued") return { kind: "queued" };
  const [, kind, digits] = /^(ended|cancel) (\d+)$/.exec(payload) ?? [];
  if (kind === "ended" || kind === "cancel") return { kind, agentId: Number(digits) };
  return undefined;
}
