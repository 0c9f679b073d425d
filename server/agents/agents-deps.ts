import type { Config } from "../config.ts";
import type { Definition } from "../definitions/definition.ts";
import type { CommandEnd, CommandOrder } from "../definitions/run-signed-command.ts";
import type { SecretValues } from "../effects/secret-values.ts";
import type { EffectServices } from "../effects/services.ts";
import type { Slots } from "../llm/slots.ts";
import type { Log } from "../log.ts";
import type { Db, Store } from "../store/open-store.ts";
import type { DefinitionKind } from "../store/tables.ts";
import type { AgentCaller } from "./agent-caller.ts";
import type { Limits } from "./agent-order.ts";
import type { Caps } from "./budget/may-call.ts";
import type { ToolResult } from "./loop/loop-host.ts";
import type { ToolCall, ToolOffer } from "./providers/types.ts";

/** What asking for an agent needs. */
export type AgentsDeps = Readonly<{
  store: Store;
  /** The approved version of a role. Throws `definition_not_found`, `not_approved`, `approval_invalid`. */
  requireRole(name: string): Promise<Readonly<{ version: number; manifest: Readonly<{ limits: Limits }> }>>;
  /** Throws as `requireRole` does, and `permission_denied` where a signed command does not take these arguments. */
  requireCommand(name: string, args: readonly string[]): Promise<unknown>;
  log: Log;
  /** Throws `budget_exceeded` where a plan has no room for one more agent, or for one so deep; it is on record already in `trx`. */
  requirePlanRoom?: ((trx: Db, agent: Readonly<{ planId: number; depth: number }>) => Promise<void>) | undefined;
}>;

/** What working on agents needs; the daemon passes in whatever lies above. */
export type ServeDeps = AgentsDeps &
  Readonly<{
    /** The approved version of a role, skill or MCP server, verified at this call. Throws as `requireRole` does. */
    requireSigned<K extends DefinitionKind>(kind: K, name: string): Promise<Definition<K>>;
    config: Pick<Config, "agents" | "ollama" | "home">;
    /** Values of secrets as they stand in the file at the time of the call. */
    secrets: () => SecretValues;
    /** What effects of jobs reach; agents' own tools use the checked parts of it. */
    services: EffectServices;
    /** What a whole plan may use; null where it has no caps. */
    planCaps(planId: number): Promise<Caps | null>;
    /** JobRunner's own tools, of which a role may name some. */
    tools: readonly ToolOffer[];
    /** Calls one of these as that agent, through the same boundary as hosts. */
    callTool(call: ToolCall, caller: AgentCaller, signal: AbortSignal): Promise<ToolResult>;
    runCommand(order: CommandOrder): Promise<CommandEnd>;
    /** Runs a test in the sandbox, where it can touch nothing; `reason` is what it threw. */
    runTest(test: AnswerTest, signal: AbortSignal): Promise<Readonly<{ ok: boolean; reason: string }>>;
    /** How many answers Ollama works on at a time. */
    ollamaSlots: Slots;
    /** Before a model that did not answer is asked again; doubled each time. */
    backoffMs: number;
    clock: () => Date;
  }>;

export type AnswerTest = Readonly<{ source: string; answer: unknown }>;
