import type { AgentError } from "../agent-error.ts";
import type { ModelChoice } from "../agent-order.ts";
import type { ChatAnswer, ChatRequest, ToolCall } from "../providers/types.ts";
import type { StepOf } from "./step.ts";

/** Leave to put a question to a model, or why there is none. `scope` tells whether another model may be asked instead. */
export type CallLeave =
  | Readonly<{ ok: true; step: number; maxOutputTokens: number; maxUsd: number | null }>
  | Readonly<{ ok: false; scope: "agent" | "model"; message: string }>;

export type ToolResult = Readonly<{ content: string; isError: boolean }>;

/**
 * What the loop asks of the outside. Everything is recorded before it resolves, so that what the loop has seen is never lost; it
 * rejects where the agent is not ours any more.
 */
export type LoopHost = Readonly<{
  /** Reserves what the call may use up, and records that it begins. */
  beginModel(request: StepOf<"model">["request"], maxOutputTokens: number): Promise<CallLeave>;
  chat(choice: ModelChoice, request: Omit<ChatRequest, "model">): Promise<ChatAnswer>;
  endModel(
    step: number,
    result: NonNullable<StepOf<"model">["result"]>,
    used: Pick<ChatAnswer, "tokens" | "costMicroUsd"> | null,
  ): Promise<void>;
  /** Makes the call, or refuses it; a failure is a result that the model reads. */
  callTool(call: ToolCall): Promise<ToolResult>;
  /** Records a result without a call. */
  skipTool(call: ToolCall, result: ToolResult): Promise<void>;
  judge(answer: string): Promise<NonNullable<StepOf<"oracle">["result"]>>;
  note(step: StepOf<"escalation"> | StepOf<"fold"> | StepOf<"notice">): Promise<void>;
  sleep(ms: number): Promise<void>;
  random(): number;
}>;

export type LoopEnd =
  | Readonly<{ state: "succeeded"; output: string }>
  | Readonly<{ state: "failed"; error: AgentError }>;
