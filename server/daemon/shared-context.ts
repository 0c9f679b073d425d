import type { SharedContext } from "../../tools/tool-context.ts";
import { personCommand } from "../person-command.ts";
import type { DaemonDeps } from "./deps.ts";

/** What tools get: everything but the values of secrets. */
export function sharedContext({ secrets, ...shared }: DaemonDeps): SharedContext {
  return {
    ...shared,
    secretNames: () => secrets().names(),
    command: (...words) => personCommand(shared.config.home, ...words),
  };
}
