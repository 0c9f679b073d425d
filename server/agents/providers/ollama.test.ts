import { expect, test } from "vitest";
import { type OllamaReply, ollamaServer, ollamaTrouble } from "../../../tests/support/ollama-server.ts";
import { createSlots } from "../../llm/slots.ts";
import { silentLog } from "../../log.ts";
import { createOllamaProvider } from "./ollama.ts";
import type { ChatMessage, ChatRequest, ToolOffer } from "./types.ts";

const model = "qwen3:4b";
const tools: ToolOffer[] = [
  {
    name: "web_fetch",
    description: "Reads a page",
    inputSchema: { type: "object", properties: { url: { type: "string" } }, required: ["url"] },
  },
];
const schema = { type: "object", properties: { answer: { type: "integer" } }, required: ["answer"] };
const plain: ChatRequest = {
  model: null,
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Hi" },
  ],
  tools: [],
  schema: null,
  maxOutputTokens: null,
  contextTokens: null,
  temperature: null,
  seed: null,
  maxUsd: null,
};
const fetching = { name: "web_fetch", arguments: { url: "https://example.org" } };

function providerAt(url: string, { stallMs = 10_000 } = {}) {
  return createOllamaProvider({
    url,
    keepAlive: "3m",
    models: [model],
    slots: createSlots(1),
    log: silentLog,
    stallMs,
  });
}

async function play(replies: readonly OllamaReply[], request: Partial<ChatRequest> = {}, options = {}) {
  await using server = await ollamaServer({ reply: (_, index) => replies[index] ?? {}, ...options });
  const { signal } = new AbortController();
  const seen: string[] = [];
  const chat = { ...plain, ...request };
  const answer = await providerAt(server.url).chat(chat, { signal, onText: (text) => seen.push(text) });
  return { answer, seen, chats: server.chats };
}

test("text comes as it grows, without what the model thinks aloud", async () => {
  const pieces = ["<think>", "hm", "</think>\n", "Good", " day"];
  const { answer, seen } = await play([{ pieces, thinking: "apart", promptTokens: 12 }]);
  expect(answer).toEqual({
    text: "Good day",
    toolCalls: [],
    tokens: { prompt: 12, output: 5 },
    costMicroUsd: 0,
    finish: "stop",
  });
  expect(seen).toEqual(["", "", "", "Good", "Good day"]);
});

test("calls get ids that are new in the conversation, and the whole conversation goes back to the server", async () => {
  const messages: ChatMessage[] = [
    ...plain.messages,
    { role: "assistant", content: "", toolCalls: [{ id: "call_1", ...fetching }] },
    { role: "tool", callId: "call_1", name: "web_fetch", content: "a page" },
  ];
  const { answer, chats } = await play([{ toolCalls: [fetching, fetching] }], { messages, tools });
  expect(answer).toMatchObject({
    text: "",
    finish: "tool_calls",
    toolCalls: [
      { id: "call_2", ...fetching },
      { id: "call_3", ...fetching },
    ],
  });
  expect(chats[0]?.messages.slice(2)).toEqual([
    { role: "assistant", content: "", tool_calls: [{ function: fetching }] },
    { role: "tool", content: "a page", tool_name: "web_fetch" },
  ]);
  expect(chats[0]?.tools).toEqual([
    {
      type: "function",
      function: { name: "web_fetch", description: "Reads a page", parameters: tools[0]?.inputSchema },
    },
  ]);
});

test("only what was set is asked for, in the server's words", async () => {
  expect((await play([])).chats[0]).toEqual({
    model,
    messages: plain.messages,
    stream: true,
    keep_alive: "3m",
    options: {},
    tools: [],
  });
  const set = { schema, maxOutputTokens: 50, contextTokens: 8_192, temperature: 0, seed: 0 };
  const { answer, chats } = await play([], set);
  expect(chats[0]).toMatchObject({
    format: schema,
    options: { num_predict: 50, num_ctx: 8_192, temperature: 0, seed: 0 },
  });
  expect(answer.text).toBe('{"answer":1}');
});

test("a call that was written as text is a call", async () => {
  const { answer } = await play([{ pieces: ["On it.\n```json\n", JSON.stringify(fetching), "\n```"] }], { tools });
  expect(answer).toMatchObject({ text: "On it.", toolCalls: [{ id: "call_1", ...fetching }], finish: "tool_calls" });
});

test("with tools the schema is told in words, so that the model can still call them; an answer that misses it is asked for in its form", async () => {
  const { answer, chats } = await play(
    [
      { pieces: ["It is ", "5."], promptTokens: 20 },
      { pieces: ['{"answer": 5}'], promptTokens: 30 },
    ],
    { tools, schema },
  );
  expect(answer).toEqual({
    text: '{"answer":5}',
    toolCalls: [],
    tokens: { prompt: 50, output: 3 },
    costMicroUsd: 0,
    finish: "stop",
  });
  expect(chats[0]?.messages[0]?.content).toMatch(/^Be brief\.\n\n.*JSON Schema: {"type"/s);
  expect(chats[0]?.format).toBeUndefined();
  expect(chats[1]).toMatchObject({ format: schema, tools: [] });
  expect(chats[1]?.messages.slice(2)).toEqual([
    { role: "assistant", content: "It is 5." },
    { role: "user", content: "That answer cannot be used: it holds no JSON. Answer again." },
  ]);
});

test("JSON with prose around it is taken at once", async () => {
  const { answer, chats } = await play([{ pieces: ['Here {it} is: ```json\n{"answer": 5}\n```'] }], { tools, schema });
  expect([answer.text, chats.length]).toEqual(['{"answer":5}', 1]);
});

test.each([
  ["as a refusal", { refusal: ollamaTrouble.badCall }],
  ["within the stream", { end: "error", error: ollamaTrouble.badCall.error }],
] satisfies [string, OllamaReply][])(
  "a call that the server could not read, told %s, is asked for once more",
  async (_, reply) => {
    const { answer, chats } = await play([reply, { toolCalls: [fetching] }], { tools });
    expect(answer.toolCalls).toEqual([{ id: "call_1", ...fetching }]);
    expect(chats[1]?.messages.at(-1)?.content).toMatch(/the call of a tool was no valid JSON \(raw='{"url": "htt'/);
  },
);

test("two answers that cannot be used are told with what they used up; tokens that ran out are not asked for again", async () => {
  const failing = (replies: OllamaReply[], request: Partial<ChatRequest>) => expect(play(replies, request)).rejects;
  await failing([{ pieces: ["no"], promptTokens: 5 }, { pieces: ['{"answer":"x"}'] }], { schema }).toMatchObject({
    code: "model_failed",
    message: expect.stringContaining("answer: Invalid input"),
    spent: { tokens: { prompt: 5, output: 2 } },
  });
  const cut = { pieces: ['{"ans', 'wer"'], doneReason: "length" } as const;
  await failing([cut, { pieces: ["never asked"] }], { schema, maxOutputTokens: 2 }).toMatchObject({
    message: expect.stringContaining("cut off"),
    spent: { tokens: { output: 2 } },
  });
  await failing([{ pieces: [" "] }, { pieces: [""] }], {}).toMatchObject({ message: expect.stringContaining("empty") });
});

test.each([
  [{ refusal: ollamaTrouble.outOfMemory }, "model_failed", "system memory", "smaller model"],
  [{ refusal: ollamaTrouble.runnerGone }, "model_failed", "out of memory", "smaller model"],
  [{ refusal: ollamaTrouble.busy }, "model_unavailable", "server busy", "ollama serve"],
  [{ end: "dead" }, "model_unavailable", "does not answer", "ollama serve"],
  [{ end: "early" }, "model_unavailable", "in the middle", "ollama serve"],
  [{ end: "error" }, "model_failed", "unexpected EOF", "log"],
] satisfies [OllamaReply, string, string, string][])(
  "%j fails as %s with what to do",
  async (reply, code, message, next) => {
    await expect(play([reply])).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
      next: expect.stringContaining(next),
    });
  },
);

test("models that are missing or cannot call tools are told with what to do", async () => {
  await expect(play([], { model: "gemma3:1b" })).rejects.toMatchObject({
    code: "model_missing",
    next: "ollama pull gemma3:1b",
  });
  await expect(play([], { tools }, { withoutTools: [model] })).rejects.toMatchObject({
    code: "model_failed",
    next: expect.stringContaining("can call tools"),
  });
});

test("the signal ends an answer with its reason and closes the connection; silence ends it, too", async () => {
  await using server = await ollamaServer({ reply: () => ({ end: "stalled" }) });
  const control = new AbortController();
  const onText = () => control.abort(new Error("cancelled"));
  await expect(providerAt(server.url).chat(plain, { signal: control.signal, onText })).rejects.toThrow("cancelled");
  await server.abandoned;
  const silent = providerAt(server.url, { stallMs: 100 }).chat(plain, { signal: new AbortController().signal });
  await expect(silent).rejects.toMatchObject({ code: "model_unavailable", message: expect.stringContaining("silent") });
});

test("a check names the version, what is missing with its command, and a server that is not there", async () => {
  await using server = await ollamaServer({ models: [model, "gemma3:latest"] });
  const { url } = server;
  const checkOf = (models: string[]) =>
    createOllamaProvider({ url, keepAlive: "0", models, slots: createSlots(1), log: silentLog }).check();
  expect(await checkOf([model, "gemma3"])).toEqual({ ok: true, version: "0.12.6", problem: null, next: null });
  expect(await checkOf(["a:1", "b c"])).toMatchObject({
    ok: false,
    problem: "Ollama 0.12.6 has no a:1, b c",
    next: "ollama pull a:1 && ollama pull 'b c'",
  });
  await server[Symbol.asyncDispose]();
  expect(await checkOf([])).toMatchObject({
    ok: false,
    version: null,
    problem: expect.stringContaining("ECONNREFUSED"),
  });
});
