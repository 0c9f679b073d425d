import { messageOf, UserError } from "../../errors.ts";
import type { AgentError } from "../agent-error.ts";
import { FailedAnswer } from "../providers/failed-answer.ts";
import type { ChatAnswer, ToolOffer } from "../providers/types.ts";
import { answerTool, findAnswer } from "./answer-tool.ts";
import type { Brief } from "./brief.ts";
import { type Answer, applyStep, type Conversation, replay } from "./conversation.ts";
import { estimateMessage, estimateTools } from "./estimate-tokens.ts";
import { findLoop, loopText } from "./find-loop.ts";
import { planFold } from "./fold-plan.ts";
import { giveUp, type Trouble } from "./give-up.ts";
import type { LoopEnd, LoopHost } from "./loop-host.ts";
import type { Step, StepOf } from "./step.ts";

/** Calls in a row that a model may fail, by the code of the failure, before the next model is asked. */
const patience: Readonly<Record<string, number>> = { model_unavailable: 4, model_failed: 2 };
/** Kept free in the window, since tokens are estimated. */
const marginShare = 0.05;
const least = 16;

/** Works on the task until an answer is accepted or nothing is left to try; goes on from the brief's steps. */
export async function runLoop(brief: Brief, host: LoopHost, signal: AbortSignal): Promise<LoopEnd> {
  let state = replay(brief, brief.steps);
  const take = (step: Step) => {
    state = applyStep(brief, state, step);
  };
  for (;;) {
    signal.throwIfAborted();
    if (state.accepted !== null) return { state: "succeeded", output: state.accepted };
    const trouble = await advance(brief, host, state, take);
    if (trouble === null) continue;
    const end = await giveUp(brief, host, state, trouble, take);
    if (end !== null) return { state: "failed", error: end };
  }
}

type Take = (step: Step) => void;

/** One more step; what it met that this model does not get over. */
async function advance(brief: Brief, host: LoopHost, state: Conversation, take: Take): Promise<Trouble | null> {
  const call = state.pending.find(({ name }) => name !== answerTool);
  if (call !== undefined) return useTool(brief, host, state, call, take);
  const answer = findAnswer(brief, state);
  if (answer !== null) return judge(brief, host, state, answer.text, take);
  return ask(brief, host, state, take);
}

async function useTool(
  { limits }: Brief,
  host: LoopHost,
  state: Conversation,
  call: Conversation["pending"][number],
  take: Take,
): Promise<Trouble | null> {
  const circle = findLoop(state, call);
  const spent = state.toolCalls >= limits.toolCalls;
  if (spent && state.toolCalls >= limits.toolCalls + graceCalls) {
    return {
      reason: "tool_calls",
      class: "permanent",
      message: `it made more than ${limits.toolCalls} calls of tools`,
    };
  }
  const request = { callId: call.id, name: call.name, arguments: { ...call.arguments } };
  const record = (result: { content: string; isError: boolean }) => take({ kind: "tool", request, result });
  if (circle === "stuck") {
    return {
      reason: "loop",
      class: "permanent",
      message: `it called ${call.name} with the same arguments again and again`,
    };
  }
  if (circle === "told" || spent) {
    const content = spent ? "Not called: no more calls of tools are left. Give your answer now." : loopText(call);
    await host.skipTool(call, { content, isError: true });
    record({ content, isError: true });
    return null;
  }
  record(await host.callTool(call));
  return null;
}

/** Calls beyond the limit that are answered with a word instead of an end. */
const graceCalls = 5;

async function judge(
  brief: Brief,
  host: LoopHost,
  state: Conversation,
  text: string,
  take: Take,
): Promise<Trouble | null> {
  const unusable = state.answer === null ? null : problemOf(state.answer, state);
  if (unusable !== null) {
    const step = { kind: "notice", request: { text: unusable, about: "unusable" }, result: {} } as const;
    await host.note(step);
    take(step);
    return tooOften(brief, state, "unusable", `it gave no usable answer: ${unusable}`);
  }
  const result = await host.judge(text);
  take({ kind: "oracle", request: { oracle: "", answer: text }, result });
  if (result.verdict === "pass") return null;
  if (result.verdict === "unable") {
    return {
      reason: "refused",
      class: "transient",
      message: `its answer could not be judged: ${result.reason}`,
      final: true,
    };
  }
  return tooOften(brief, state, "refused", `its answer was not accepted: ${result.reason}`);
}

function tooOften(
  { triesPerModel }: Brief,
  { refused }: Conversation,
  reason: AgentError["reason"],
  message: string,
): Trouble | null {
  return refused + 1 < triesPerModel ? null : { reason, class: "permanent", message };
}

/** What is wrong with a text before anybody judges it; null where nothing is. */
function problemOf({ text, cutOff }: Answer, { texts }: Conversation): string | null {
  if (text.trim() === "") return "Your answer was empty. Give it now, as text.";
  if (cutOff === true) return "Your answer was cut off because it was too long. Give it again, shorter.";
  if (texts.filter((old) => old === text).length > 1)
    return "You gave the same answer again. It was not accepted before; change it.";
  return null;
}

async function ask(brief: Brief, host: LoopHost, state: Conversation, take: Take): Promise<Trouble | null> {
  const { limits, models, temperature, schema } = brief;
  const choice = models[state.candidate] ?? models[0];
  if (choice === undefined) throw new Error("an agent without a model");
  if (state.turns >= limits.turns) {
    return {
      reason: "turns",
      class: "permanent",
      message: `it has not answered within ${limits.turns} turns`,
      final: true,
    };
  }
  const wait = backoff(brief, host, state);
  if (wait > 0) await host.sleep(wait);
  const lastTurn = state.turns === limits.turns - 1 && limits.turns > 1;
  if (lastTurn && !state.toldLastTurn) {
    const step = { kind: "notice", request: { text: lastTurnText, about: "last_turn" }, result: {} } as const;
    await host.note(step);
    take(step);
    return null;
  }
  const tools = offered(brief, state, lastTurn);
  const room = roomFor(brief, tools);
  const fold = planFold(state, room);
  if (!fold.fits) {
    const message = `task and results take about ${fold.after} tokens, and its window has room for ${Math.max(0, room)}`;
    return { reason: "context", class: "permanent", message };
  }
  if (fold.callIds.length > 0) {
    const { before, after } = fold;
    const step: StepOf<"fold"> = { kind: "fold", request: { callIds: [...fold.callIds], before, after }, result: {} };
    await host.note(step);
    take(step);
    return null;
  }
  const rawTokens = state.messages.reduce((sum, message) => sum + estimateMessage(message), estimateTools(tools));
  const promptTokens = Math.ceil(rawTokens * state.tokenRatio);
  const request = { ...choice, promptTokens, rawTokens };
  const leave = await host.beginModel(request, limits.outputTokens);
  if (!leave.ok) return { reason: "budget", class: "budget", message: leave.message, final: leave.scope === "agent" };
  let answer: ChatAnswer;
  try {
    answer = await host.chat(choice, {
      messages: state.messages,
      tools,
      schema,
      maxOutputTokens: leave.maxOutputTokens,
      contextTokens: limits.contextTokens,
      temperature,
      seed: null,
      maxUsd: leave.maxUsd,
    });
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    const next = thrown.next === undefined ? "" : ` Next: ${thrown.next}.`;
    const result = { error: { code: thrown.code, message: `${messageOf(thrown)}${next}` } };
    await host.endModel(leave.step, result, thrown instanceof FailedAnswer ? thrown.spent : null);
    take({ kind: "model", request, result });
    return giveUpOn(thrown.code, result.error.message, state);
  }
  const result = {
    text: answer.text,
    toolCalls: answer.toolCalls.map((call) => ({ ...call, arguments: { ...call.arguments } })),
    finish: answer.finish,
    promptTokens: answer.tokens.prompt,
  };
  await host.endModel(leave.step, result, answer);
  take({ kind: "model", request, result });
  return null;
}

const lastTurnText = "This is your last turn. Call no more tools: give your final answer now, with what you have.";

function offered({ tools, limits }: Brief, { toolCalls }: Conversation, lastTurn: boolean): readonly ToolOffer[] {
  return lastTurn || toolCalls >= limits.toolCalls ? tools.filter(({ name }) => name === answerTool) : tools;
}

/** Tokens that messages may take in the model's window. */
function roomFor({ limits, schema }: Brief, tools: readonly ToolOffer[]): number {
  const { contextTokens, outputTokens } = limits;
  const kept = Math.min(outputTokens, Math.floor(contextTokens / 2));
  const shape = schema === null ? 0 : JSON.stringify(schema).length / 3.6;
  return Math.floor(contextTokens * (1 - marginShare) - kept - estimateTools(tools) - shape - least);
}

/** Milliseconds before the next call after failed ones: doubled each time, less up to a half of jitter. */
function backoff({ backoffMs }: Brief, host: LoopHost, { errors }: Conversation): number {
  if (errors === 0) return 0;
  return Math.round(backoffMs * 2 ** Math.min(errors - 1, 6) * (1 - 0.5 * host.random()));
}

function giveUpOn(code: string, message: string, { errors }: Conversation): Trouble | null {
  const allowed = patience[code] ?? 1;
  if (errors + 1 < allowed) return null;
  switch (code) {
    case "model_unavailable":
    case "model_failed":
      return { reason: code, class: "transient", message };
    case "model_missing":
    case "provider_missing":
      return { reason: code, class: "permanent", message };
    case "budget_exceeded":
      return { reason: "budget", class: "budget", message };
    default:
      return { reason: "model_failed", class: "permanent", message };
  }
}
