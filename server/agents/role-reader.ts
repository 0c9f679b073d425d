import { type DefinitionsDeps, requireDefinition } from "../definitions/read-definitions.ts";
import { requireCommand } from "../definitions/run-signed-command.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/open-store.ts";
import type { AgentsDeps } from "./agents-deps.ts";

/** What asking for an agent needs, on signed roles and commands. */
export function agentsDeps({
  store,
  approvals,
  log,
}: Readonly<{ store: Store; approvals: DefinitionsDeps["approvals"]; log: Log }>): AgentsDeps {
  const definitions = { store, approvals };
  return {
    store,
    log,
    requireRole: (name) => requireDefinition(definitions, "role", name),
    requireCommand: (name, args) => requireCommand(definitions, name, args),
  };
}
