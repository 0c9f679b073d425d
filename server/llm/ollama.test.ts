import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { type OllamaReply, ollamaServer } from "../../tests/support/ollama-server.ts";
import type { LlmRequest } from "../effects/services.ts";
import { silentLog } from "../log.ts";
import { createOllama } from "./ollama.ts";

const plain: LlmRequest = {
  model: "qwen3:4b",
  messages: [{ role: "user", content: "Hi" }],
  schema: null,
  temperature: null,
  maxTokens: null,
  seed: null,
};

function llmAt(url: string, { concurrency = 1, stallMs = 10_000 } = {}) {
  const llm = createOllama({ url, keepAlive: "3m", concurrency, log: silentLog, stallMs });
  return (request: Partial<LlmRequest> = {}, signal = new AbortController().signal, onText = (_: string) => {}) =>
    llm({ ...plain, ...request }, { signal, onText });
}

async function answerOf(reply: OllamaReply, options = {}) {
  await using server = await ollamaServer({ reply: () => reply });
  return await llmAt(server.url, options)();
}

test("an answer comes as it grows, then whole with its tokens", async () => {
  await using server = await ollamaServer({ reply: () => ({ pieces: ["Good", " ", "day ü"], promptTokens: 12 }) });
  const seen: string[] = [];
  const answer = await llmAt(server.url)({}, undefined, (whole) => seen.push(whole));
  expect(answer).toEqual({ text: "Good day ü", tokens: { prompt: 12, output: 3 }, finish: "stop" });
  expect(seen).toEqual(["Good", "Good ", "Good day ü"]);
});

test("only what was set is asked for", async () => {
  await using server = await ollamaServer();
  const llm = llmAt(server.url);
  await llm();
  expect(server.chats[0]).toEqual({
    model: "qwen3:4b",
    messages: plain.messages,
    stream: true,
    keep_alive: "3m",
    options: {},
    tools: [],
  });
  const schema = { type: "object", properties: { a: { type: "number" } } };
  await llm({ schema, temperature: 0, maxTokens: 5, seed: 0 });
  expect(server.chats[1]).toMatchObject({ format: schema, options: { temperature: 0, num_predict: 5, seed: 0 } });
});

test("a cached prompt counts no tokens, and a cut answer says so", async () => {
  const answer = await answerOf({ doneReason: "length", thinking: "hm" });
  expect(answer).toEqual({ text: "Hello there", tokens: { prompt: 0, output: 2 }, finish: "length" });
});

test("a model that is not there is named with the command that gets it, quoted for the shell", async () => {
  await using server = await ollamaServer();
  const failure = llmAt(server.url)({ model: "no;such" });
  await expect(failure).rejects.toMatchObject({ code: "model_missing", next: "ollama pull 'no;such'" });
});

test.each([
  [{ end: "error" }, "model_failed", "unexpected EOF"],
  [{ pieces: [" "] }, "model_failed", "empty answer"],
  [{ pieces: [], doneReason: "length" }, "model_failed", "empty answer"],
  [{ refusal: { status: 400, error: "bad format" } }, "model_failed", "bad format"],
  [{ refusal: { status: 500, error: "model requires more memory" } }, "model_failed", "more memory"],
  [{ refusal: { status: 503, error: "server busy" } }, "model_unavailable", "server busy"],
  [{ refusal: { status: 404, error: "page not found" } }, "model_unavailable", "another server"],
  [{ end: "dead" }, "model_unavailable", "does not answer"],
  [{ end: "early" }, "model_unavailable", "in the middle"],
] satisfies [OllamaReply, string, string][])("%j fails as %s", async (reply, code, message) => {
  await expect(answerOf(reply)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
});

test("silence ends the wait and the connection; a slow answer that goes on is waited for", async () => {
  await using silent = await ollamaServer({ reply: () => ({ end: "stalled" }) });
  const failure = llmAt(silent.url, { stallMs: 100 })();
  await expect(failure).rejects.toMatchObject({
    code: "model_unavailable",
    message: expect.stringContaining("silent"),
  });
  await silent.abandoned;
  const slow = await answerOf({ pieces: Array(8).fill("x"), delayMs: 60 }, { stallMs: 400 });
  expect(slow.text).toBe("xxxxxxxx");
});

test("a server that is not there is unavailable, and its address is shown without what logs in", async () => {
  const { url } = await ollamaServer().then(async (server) => {
    await server[Symbol.asyncDispose]();
    return server;
  });
  const failure = llmAt(url.replace("//", "//me:hidden@"))();
  await expect(failure).rejects.toMatchObject({
    code: "model_unavailable",
    message: expect.stringMatching(/127\.0\.0\.1.*ECONNREFUSED/),
  });
  await expect(failure).rejects.not.toThrow("hidden");
});

test("the signal ends an answer with its reason and closes the connection, so that Ollama stops", async () => {
  await using server = await ollamaServer({ reply: () => ({ end: "stalled" }) });
  const control = new AbortController();
  const failure = llmAt(server.url)({}, control.signal, () => control.abort(new Error("cancelled")));
  await expect(failure).rejects.toThrow("cancelled");
  await server.abandoned;
  await expect.poll(server.active).toBe(0);
});

test("an error line within the answer closes the connection too", async () => {
  await expect(answerOf({ pieces: ["a"], end: "error" })).rejects.toMatchObject({ code: "model_failed" });
});

test.each([1, 2])("at most %i answers are worked on at a time, and all are answered", async (concurrency) => {
  await using server = await ollamaServer({ reply: () => ({ delayMs: 20 }) });
  const llm = llmAt(server.url, { concurrency });
  const answers = await Promise.all(Array.from({ length: 5 }, () => llm()));
  expect(answers.map(({ text }) => text)).toEqual(Array(5).fill("Hello there"));
  expect(server.mostActive()).toBe(concurrency);
});

test("who waits for a turn can leave, and failures give their turn on", async () => {
  await using server = await ollamaServer({
    reply: (_, index) => (index === 0 ? { end: "stalled" } : index === 1 ? { end: "error" } : {}),
  });
  const llm = llmAt(server.url);
  const [first, leaving] = [new AbortController(), new AbortController()];
  const busy = llm({}, first.signal);
  const left = llm({}, leaving.signal);
  const [failing, last] = [llm(), llm()];
  leaving.abort(new Error("left"));
  await expect(left).rejects.toThrow("left");
  await expect.poll(() => server.chats.length).toBe(1);
  first.abort(new Error("stopped"));
  await expect(busy).rejects.toThrow("stopped");
  await expect(failing).rejects.toMatchObject({ code: "model_failed" });
  expect((await last).text).toBe("Hello there");
  await expect(llm({}, leaving.signal)).rejects.toThrow("left");
  expect(server.chats).toHaveLength(3);
});

test("nothing of an exchange is written to standard output", async () => {
  const written: unknown[] = [];
  const write = process.stdout.write;
  process.stdout.write = (chunk: unknown) => written.push(chunk) > 0;
  try {
    await answerOf({ refusal: { status: 500, error: "x" } }).catch(() => {});
    await setTimeout(0);
  } finally {
    process.stdout.write = write;
  }
  expect(written).toEqual([]);
});
