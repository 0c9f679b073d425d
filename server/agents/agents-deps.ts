import type { Log } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import type { Limits } from "./agent-order.ts";

/** What asking for an agent needs. */
export type AgentsDeps = Readonly<{
  store: Store;
  /** The approved version of a role. Throws `definition_not_found`, `not_approved`, `approval_invalid`. */
  requireRole(name: string): Promise<Readonly<{ version: number; manifest: Readonly<{ limits: Limits }> }>>;
  log: Log;
}>;
