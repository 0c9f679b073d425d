import { formatMs } from "../format-time.ts";
import type { Row } from "../store/tables.ts";
import { readAgentError } from "./agent-error.ts";
import { formatAgentId } from "./agent-id.ts";
import type { Step } from "./loop/step.ts";
import { modelText } from "./model-text.ts";
import { parseStep } from "./parse-step.ts";

type Agent = Pick<
  Row<"agents">,
  | "id"
  | "role"
  | "state"
  | "provider"
  | "model"
  | "tokens_in"
  | "tokens_out"
  | "cost_microusd"
  | "turns"
  | "tool_calls"
  | "error"
>;

/** What an agent used up, in words. */
export function usedText(agent: Omit<Agent, "error" | "id" | "role" | "state">): string {
  const { turns, tool_calls, tokens_in, tokens_out, cost_microusd } = agent;
  const cost = cost_microusd === 0 ? "" : `, ${dollarText(cost_microusd)}`;
  return `${turns} turns, ${tool_calls} tool calls, ${tokens_in + tokens_out} tokens${cost}`;
}

/** Millionths of a dollar as people read them. */
export function dollarText(microUsd: number): string {
  return `$${(microUsd / 1e6).toFixed(microUsd > 0 && microUsd < 10_000 ? 4 : 2)}`;
}

/** An agent in one line of plain text; its title and error are foreign, so the caller makes them visible. */
export function agentHead({ id, role, state, provider, model }: Agent): string {
  const by = provider === null ? "" : ` by ${provider}${model === null ? "" : ` ${model}`}`;
  return `${formatAgentId(id)} ${role} ${state}${by}`;
}

/** Why it failed, in one line; undefined where it did not. */
export function agentErrorText({ error }: Pick<Agent, "error">): string | undefined {
  const parsed = readAgentError(error);
  return parsed === null ? undefined : `${parsed.reason} (${parsed.class}): ${parsed.message}`;
}

const shownChars = 600;

/** One step as one or two lines of plain text; foreign throughout, so the caller fences it. */
export function stepText(row: Row<"agent_steps">, chars: number = shownChars): string {
  const ms = row.ended_at === null ? "" : ` (${formatMs(row.ended_at.getTime() - row.started_at.getTime())})`;
  const step = parseStep(row);
  return `${row.n}. ${whatHappened(step, row, chars)}${ms}`;
}

function whatHappened(step: Step, row: Row<"agent_steps">, chars: number): string {
  const cut = (text: string) => {
    const flat = text.replace(/\s+/g, " ").trim();
    return flat.length <= chars ? flat : `${flat.slice(0, chars)}… (${text.length} characters)`;
  };
  switch (step.kind) {
    case "model": {
      const { request, result } = step;
      const said =
        result === null
          ? "its end is not known"
          : "error" in result
            ? `failed, ${result.error.code}: ${cut(result.error.message)}`
            : [
                cut(result.text),
                ...result.toolCalls.map((call) => `calls ${call.name} ${cut(JSON.stringify(call.arguments))}`),
              ]
                .filter((part) => part !== "")
                .join("; ");
      return `${modelText(request)}, ${row.tokens_in}+${row.tokens_out} tokens: ${said}`;
    }
    case "tool": {
      const { request, result } = step;
      const came =
        result === null
          ? "its end is not known"
          : `${result.isError ? "refused or failed: " : ""}${cut(result.content)}`;
      return `${request.name} ${cut(JSON.stringify(request.arguments))} -> ${came}`;
    }
    case "oracle":
      return `judged by ${step.request.oracle}: ${step.result === null ? "its end is not known" : `${step.result.verdict} ${cut(step.result.reason)}`}`;
    case "escalation":
      return `handed to the next model: ${cut(step.request.reason)}`;
    case "fold":
      return `${step.request.callIds.length} old results folded, from about ${step.request.before} to ${step.request.after} tokens`;
    case "notice":
      return `told: ${cut(step.request.text)}`;
    default:
      return step satisfies never;
  }
}
