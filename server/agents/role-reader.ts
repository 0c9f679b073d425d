import { type DefinitionsDeps, requireDefinition } from "../definitions/read-definitions.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import type { AgentsDeps } from "./agents-deps.ts";

/** What asking for an agent needs, on signed roles. */
export function agentsDeps({
  store,
  approvals,
  log,
}: Readonly<{ store: Store; approvals: DefinitionsDeps["approvals"]; log: Log }>): AgentsDeps {
  return { store, log, requireRole: (name) => requireDefinition({ store, approvals }, "role", name) };
}
