import { sql } from "kysely";
import type { Db } from "../store/open-store.ts";
import type { AgentError } from "./agent-error.ts";
import { settleCutOff } from "./budget/settle-call.ts";

/**
 * Ends agents that a restored store holds as live: what they did after the backup is not on record, and commands and tools among it would
 * happen again without anybody's word. Gives back which. A plan's `retry`, or whoever asked, starts new ones.
 */
export async function holdRestoredAgents(db: Db): Promise<number[]> {
  const error: AgentError = {
    reason: "lost",
    class: "permanent",
    message: "it had not ended when the backup was made that was restored; what it did since is not known",
  };
  const ended = await db
    .updateTable("agents")
    .set({
      state: "failed",
      error: JSON.stringify(error),
      lease: sql<number>`lease + 1`,
      lease_owner: null,
      finished_at: sql<Date>`now()`,
    })
    .where("state", "in", ["queued", "running"])
    .returning("id")
    .execute();
  const ids = ended.map(({ id }) => id).sort((a, b) => a - b);
  for (const id of ids) await settleCutOff(db, id);
  return ids;
}
