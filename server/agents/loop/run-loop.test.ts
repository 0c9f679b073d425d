import { expect, test } from "vitest";
import { UserError } from "../../errors.ts";
import type { ChatAnswer, ChatRequest, ToolCall } from "../providers/types.ts";
import type { Brief } from "./brief.ts";
import { replay } from "./conversation.ts";
import type { CallLeave, LoopEnd, LoopHost, ToolResult } from "./loop-host.ts";
import { runLoop } from "./run-loop.ts";
import type { Step } from "./step.ts";

const brief: Brief = {
  agent: "A1",
  role: "researcher",
  system: "You find things out.",
  task: "Find out.",
  models: [{ provider: "ollama", model: "small" }],
  tools: [{ name: "look", description: "Looks.", inputSchema: { type: "object" } }],
  schema: null,
  judged: false,
  triesPerModel: 2,
  limits: {
    turns: 12,
    toolCalls: 20,
    tokens: 100_000,
    usd: 1,
    timeoutMs: 60_000,
    contextTokens: 2_000,
    outputTokens: 200,
    depth: 0,
  },
  temperature: null,
  backoffMs: 100,
  steps: [],
};

type Reply = string | readonly ToolCall[] | Error | Partial<ChatAnswer>;
type Script = Readonly<{
  replies: readonly Reply[];
  tool?: (call: ToolCall) => ToolResult;
  judge?: (answer: string, index: number) => "pass" | string;
  leave?: (index: number) => CallLeave;
  change?: Partial<Brief>;
}>;

const call = (id: string, args: Record<string, unknown> = {}, name = "look"): ToolCall => ({
  id,
  name,
  arguments: args,
});
const unavailable = new UserError("model_unavailable", "busy (503)");

/** Plays a scripted model to the loop; every step is kept as the daemon would. */
async function play({ replies, tool, judge, leave, change }: Script) {
  const steps: Step[] = [];
  const asked: Omit<ChatRequest, "model">[] = [];
  const models: (string | null)[] = [];
  const waits: number[] = [];
  let judged = 0;
  let pending: Extract<Step, { kind: "model" }>["request"] | undefined;
  const host: LoopHost = {
    async beginModel(request, maxOutputTokens) {
      pending = request;
      return leave?.(asked.length) ?? { ok: true, step: steps.length, maxOutputTokens, maxUsd: null };
    },
    async chat({ model }, request) {
      const reply = replies[asked.length] ?? "done";
      asked.push(request);
      models.push(model);
      if (reply instanceof Error) throw reply;
      const plain = {
        text: "",
        toolCalls: [],
        tokens: { prompt: 0, output: 1 },
        costMicroUsd: 0,
        finish: "stop",
      } as const;
      if (typeof reply === "string") return { ...plain, text: reply };
      return Array.isArray(reply) ? { ...plain, toolCalls: reply, finish: "tool_calls" } : { ...plain, ...reply };
    },
    async endModel(_, result) {
      if (pending !== undefined) steps.push({ kind: "model", request: pending, result });
    },
    async callTool(made) {
      const result = tool?.(made) ?? { content: `seen ${JSON.stringify(made.arguments)}`, isError: false };
      steps.push({
        kind: "tool",
        request: { callId: made.id, name: made.name, arguments: { ...made.arguments } },
        result,
      });
      return result;
    },
    async skipTool(made, result) {
      steps.push({
        kind: "tool",
        request: { callId: made.id, name: made.name, arguments: { ...made.arguments } },
        result,
      });
    },
    async judge(answer) {
      const said = judge?.(answer, judged++) ?? "pass";
      const result =
        said === "pass" ? ({ verdict: "pass", reason: "" } as const) : ({ verdict: "fail", reason: said } as const);
      steps.push({ kind: "oracle", request: { oracle: "test", answer }, result });
      return result;
    },
    async note(step) {
      steps.push(step);
    },
    async sleep(ms) {
      waits.push(ms);
    },
    random: () => 0,
  };
  const whole = { ...brief, ...change };
  const end = await runLoop(whole, host, new AbortController().signal);
  return { end, asked, models, waits, steps, brief: whole, kinds: steps.map(({ kind }) => kind) };
}

const succeeded = (output: string): LoopEnd => ({ state: "succeeded", output });

test("tools are called until the model answers, and the steps alone make the same conversation", async () => {
  const played = await play({ replies: [[call("1", { at: 1 }), call("2", { at: 2 })], "found"] });
  expect(played.end).toEqual(succeeded("found"));
  expect(played.asked[1]?.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "tool", "tool"]);
  const again = replay(played.brief, played.steps);
  expect(again.messages.slice(0, 5)).toEqual(played.asked[1]?.messages);
  expect(again).toMatchObject({ accepted: "found", turns: 2, toolCalls: 2 });
});

test("an answer by the tool counts as one, once the other calls are done", async () => {
  const schema = { type: "object", properties: { a: { type: "number" } } };
  const replies = [[call("1", { a: 2 }, "answer"), call("2")], "unused"];
  const { end, asked } = await play({ replies, change: { schema } });
  expect(end).toEqual(succeeded('{"a":2}'));
  expect(asked).toHaveLength(1);
});

test("a refused answer is tried again with the reason, then handed to the next model, which knows what was done", async () => {
  const models = [
    { provider: "ollama", model: "small" },
    { provider: "ollama", model: "large" },
  ] as const;
  const played = await play({
    replies: [[call("1", { at: 1 })], "one", "two", "three"],
    judge: (answer) => (answer === "three" ? "pass" : `not ${answer}`),
    change: { models: [...models], judged: true },
  });
  expect(played.end).toEqual(succeeded("three"));
  expect(played.models).toEqual(["small", "small", "small", "large"]);
  expect(played.kinds.filter((kind) => kind === "escalation")).toHaveLength(1);
  expect(played.asked[2]?.messages.at(-1)?.content).toContain("not accepted: not one");
  const told = played.asked[3]?.messages.at(-1)?.content;
  expect(told).toContain("not two");
  expect(told).toContain('look {"at":1}');
});

test.each([
  ["nobody accepts it", { replies: ["a", "b"], judge: () => "no" }, "refused"],
  ["it is empty again and again", { replies: [" ", ""] }, "unusable"],
  [
    "it is cut off again and again",
    {
      replies: [
        { text: "a", finish: "length" },
        { text: "b", finish: "length" },
      ],
    },
    "unusable",
  ],
  [
    "the model is missing",
    { replies: [new UserError("model_missing", "none", { next: "ollama pull small" })] },
    "model_missing",
  ],
  ["the server stays busy", { replies: Array(4).fill(unavailable) }, "model_unavailable"],
  ["the model fails twice", { replies: Array(2).fill(new UserError("model_failed", "out of memory")) }, "model_failed"],
  ["turns are used up", { replies: Array.from({ length: 20 }, (_, i) => [call(`${i}`, { i })]) }, "turns"],
  ["it calls the same again and again", { replies: Array.from({ length: 20 }, (_, i) => [call(`${i}`)]) }, "loop"],
  [
    "it goes on calling tools when none are left",
    {
      replies: [Array.from({ length: 30 }, (_, i) => call(`${i}`, { i }))],
      change: { limits: { ...brief.limits, toolCalls: 3 } },
    },
    "tool_calls",
  ],
  [
    "a budget is used up",
    { replies: [], leave: () => ({ ok: false, scope: "agent", message: "its tokens" }) },
    "budget",
  ],
  ["the task is too long for the window", { replies: [], change: { task: "word ".repeat(3_000) } }, "context"],
] satisfies [string, Script, string][])("it fails where %s", async (_, script, reason) => {
  const { end } = await play(script);
  expect(end).toMatchObject({ state: "failed", error: { reason } });
});

test("a busy server is asked again after pauses that double", async () => {
  const { end, waits } = await play({ replies: [unavailable, unavailable, "at last"] });
  expect(end).toEqual(succeeded("at last"));
  expect(waits).toEqual([100, 200]);
});

test("the next model is asked where one fails or may not be paid", async () => {
  const models = [
    { provider: "claude", model: null },
    { provider: "ollama", model: "small" },
  ] as const;
  const leave = (index: number): CallLeave =>
    index === 0 && !escalated++
      ? { ok: false, scope: "model", message: "the day's dollars" }
      : { ok: true, step: 0, maxOutputTokens: 9, maxUsd: null };
  let escalated = 0;
  const paid = await play({ replies: ["cheap"], leave, change: { models: [...models] } });
  expect([paid.end, paid.models]).toEqual([succeeded("cheap"), ["small"]]);
  const failing = await play({
    replies: [new UserError("provider_missing", "not installed"), "cheap"],
    change: { models: [...models] },
  });
  expect(failing.end).toEqual(succeeded("cheap"));
});

test("old results are folded so that the prompt fits, recorded, and the task never is", async () => {
  const long = "x".repeat(1_500);
  const played = await play({
    replies: [...Array.from({ length: 6 }, (_, i) => [call(`${i}`, { i })]), "done"],
    tool: ({ arguments: { i } }) => ({ content: `${i} ${long}`, isError: false }),
  });
  expect(played.end).toEqual(succeeded("done"));
  expect(played.kinds).toContain("fold");
  const last = played.asked.at(-1)?.messages ?? [];
  expect(last[1]?.content).toBe("Find out.");
  expect(last.filter(({ content }) => content.startsWith("[Folded")).length).toBeGreaterThan(0);
  expect(last.at(-1)?.content).toContain(long);
  expect(replay(played.brief, played.steps.slice(0, -2)).messages).toEqual(last);
});

test("it goes on where it was cut off: what has no result is told as unknown and not called again", async () => {
  const first = await play({ replies: [[call("1", { at: 1 }), call("2", { at: 2 })], "found"] });
  const [asked] = first.steps;
  if (asked === undefined) throw new Error("no step");
  const cut: Step = { kind: "tool", request: { callId: "1", name: "look", arguments: { at: 1 } }, result: null };
  const lost: Step = {
    kind: "model",
    request: { provider: "ollama", model: "small", promptTokens: 1, rawTokens: 1 },
    result: null,
  };
  const again = await play({ replies: ["found"], change: { steps: [lost, asked, cut] } });
  expect(again.end).toEqual(succeeded("found"));
  expect(again.kinds).toEqual(["tool", "model", "oracle"]);
  expect(again.asked[0]?.messages.map(({ content }) => content.slice(0, 8))).toEqual([
    "You find",
    "Find out",
    "",
    "Unknown:",
    'seen {"a',
  ]);
});
