import type { ChatMessage, ToolCall } from "../providers/types.ts";
import { findAnswer } from "./answer-tool.ts";
import type { Brief } from "./brief.ts";
import { foldedResult } from "./folded-result.ts";
import type { Step, StepOf } from "./step.ts";

/** An answer to judge. `callId`: it came as a call of the tool `answer`. */
export type Answer = Readonly<{ text: string; callId: string | null; cutOff?: boolean }>;

/** Where an agent stands. It follows from its brief and its steps, and from nothing else. */
export type Conversation = Readonly<{
  messages: readonly ChatMessage[];
  /** Calls of the last answer that have no result yet. */
  pending: readonly ToolCall[];
  /** Text of the last turn, where it called no tool and nobody has judged it yet. */
  answer: Answer | null;
  accepted: string | null;
  /** Index in the brief's models. */
  candidate: number;
  /** Answers of this model that were refused or could not be used. */
  refused: number;
  lastRefusal: string | null;
  /** Calls in a row that brought nothing, and what the last of them failed with. */
  errors: number;
  lastError: Readonly<{ code: string; message: string }> | null;
  turns: number;
  toolCalls: number;
  /** Calls with their results, oldest first, of this model. */
  calls: readonly CallMade[];
  /** Contents of answers that came without a call, of this model. */
  texts: readonly string[];
  /** What the model counted over what was estimated. */
  tokenRatio: number;
  folded: ReadonlySet<string>;
  toldLastTurn: boolean;
}>;

export type CallMade = Readonly<{ call: ToolCall; content: string; isError: boolean }>;

/** The conversation after those steps. */
export function replay(brief: Brief, steps: readonly Step[]): Conversation {
  return steps.reduce((state, step) => applyStep(brief, state, step), begin(brief));
}

function begin({ system, task }: Pick<Brief, "system" | "task">): Conversation {
  return {
    messages: [
      { role: "system", content: system },
      { role: "user", content: task },
    ],
    pending: [],
    answer: null,
    accepted: null,
    candidate: 0,
    refused: 0,
    lastRefusal: null,
    errors: 0,
    lastError: null,
    turns: 0,
    toolCalls: 0,
    calls: [],
    texts: [],
    tokenRatio: 1,
    folded: new Set(),
    toldLastTurn: false,
  };
}

/** The conversation after one more step. */
export function applyStep(brief: Brief, state: Conversation, step: Step): Conversation {
  switch (step.kind) {
    case "model":
      return afterModel(state, step);
    case "tool":
      return afterTool(state, step);
    case "oracle":
      return afterOracle(brief, state, step);
    case "escalation":
      return afterEscalation(brief, state, step);
    case "fold":
      return afterFold(state, step);
    case "notice":
      return {
        ...state,
        messages: [...state.messages, { role: "user", content: step.request.text }],
        refused: state.refused + (step.request.about === "unusable" ? 1 : 0),
        toldLastTurn: state.toldLastTurn || step.request.about === "last_turn",
      };
    default:
      return step satisfies never;
  }
}

function afterModel(state: Conversation, { request, result }: StepOf<"model">): Conversation {
  // Cut off by a crash: nobody saw an answer, and the question is put again.
  if (result === null) return state;
  if ("error" in result) return { ...state, errors: state.errors + 1, lastError: result.error };
  const { text, toolCalls } = result;
  const counted =
    result.promptTokens > 0 && request.rawTokens > 0 ? result.promptTokens / request.rawTokens : undefined;
  return {
    ...state,
    messages: [...state.messages, { role: "assistant", content: text, toolCalls }],
    pending: toolCalls,
    answer: toolCalls.length === 0 ? { text, callId: null, cutOff: result.finish === "length" } : null,
    errors: 0,
    lastError: null,
    turns: state.turns + 1,
    texts: toolCalls.length === 0 ? [...state.texts, text] : state.texts,
    // A cached prompt is counted as shorter than it is.
    tokenRatio: counted === undefined ? state.tokenRatio : Math.min(2, Math.max(state.tokenRatio, counted)),
  };
}

function afterTool(state: Conversation, { request, result }: StepOf<"tool">): Conversation {
  const call = { id: request.callId, name: request.name, arguments: request.arguments };
  const { content, isError } = result ?? unknownOutcome;
  return {
    ...state,
    messages: [...state.messages, { role: "tool", callId: call.id, name: call.name, content }],
    pending: state.pending.filter(({ id }) => id !== call.id),
    toolCalls: state.toolCalls + 1,
    calls: [...state.calls, { call, content, isError }],
  };
}

const unknownOutcome = {
  content:
    "Unknown: this call was cut off, and whether it took effect is not known. Look at what it would have changed before you call it again.",
  isError: true,
};

function afterOracle(brief: Brief, state: Conversation, { result }: StepOf<"oracle">): Conversation {
  const answer = findAnswer(brief, state);
  if (result === null || answer === null) return state;
  if (result.verdict === "pass") return { ...state, accepted: answer.text, answer: null };
  const content = `Your answer was not accepted: ${result.reason}\n\nDo better, and give the whole answer again.`;
  const calls = state.pending.map(({ id, name }): ChatMessage => ({ role: "tool", callId: id, name, content }));
  return {
    ...state,
    messages: [...state.messages, ...(answer.callId === null ? [{ role: "user", content } as const] : calls)],
    pending: [],
    answer: null,
    refused: state.refused + 1,
    lastRefusal: result.reason,
    texts: answer.callId === null ? state.texts : [...state.texts, answer.text],
  };
}

/** Most of an earlier model's refused answer that the next one is shown. */
const shownAnswer = 2_000;
const shownCalls = 30;

/** The next model starts with the task, and with what the ones before it have found out. */
function afterEscalation(brief: Brief, state: Conversation, { request }: StepOf<"escalation">): Conversation {
  const last = state.texts.at(-1);
  const lines = state.calls
    .slice(-shownCalls)
    .map(
      ({ call, isError }) => `- ${call.name} ${short(JSON.stringify(call.arguments), 160)}${isError ? ": failed" : ""}`,
    );
  const before = [
    `Another model has tried this task and did not succeed: ${request.reason}`,
    ...(last === undefined ? [] : [`Its last answer was:\n${short(last, shownAnswer)}`]),
    ...(lines.length === 0 ? [] : [`What it did, and what is done stays done:\n${lines.join("\n")}`]),
  ];
  const fresh = begin(brief);
  return {
    ...fresh,
    messages: [...fresh.messages, { role: "user", content: before.join("\n\n") }],
    candidate: request.to,
    turns: state.turns,
    toolCalls: state.toolCalls,
  };
}

function afterFold(state: Conversation, { request }: StepOf<"fold">): Conversation {
  const folded = new Set([...state.folded, ...request.callIds]);
  const messages = state.messages.map((message) => {
    if (message.role !== "tool" || !request.callIds.includes(message.callId)) return message;
    const made = state.calls.find(({ call }) => call.id === message.callId);
    return made === undefined ? message : { ...message, content: foldedResult(made) };
  });
  return { ...state, messages, folded };
}

function short(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;
}
