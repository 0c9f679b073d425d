import { expect, test } from "vitest";
import { performEffect, prepareEffect } from "../../tests/support/effects.ts";
import { ollamaServer } from "../../tests/support/ollama-server.ts";
import { testManifest, testPermissions } from "../../tests/support/runs.ts";
import { createOllama } from "../llm/ollama.ts";
import { silentLog } from "../log.ts";

const permissions = { llm: ["qwen3:4b"] };
const prompt = [{ role: "user", content: "Hi" }];
const request = {
  model: "qwen3:4b",
  messages: prompt,
  schema: null,
  temperature: null,
  maxTokens: null,
  seed: null,
};

/** Asks a stand-in that says these pieces. */
async function generate(pieces: readonly string[], more: object = {}, setup: object = {}) {
  await using server = await ollamaServer({ reply: () => ({ pieces, promptTokens: 4, delayMs: 5 }) });
  const llm = createOllama({ url: server.url, keepAlive: "5m", concurrency: 1, log: silentLog });
  return await performEffect("llm.generate", { ...request, ...more }, { permissions, services: { llm }, ...setup });
}

test("an answer comes back with its tokens and shows its progress", async () => {
  const seen: string[] = [];
  const progress = (tail: string) => seen.push(tail);
  expect(await generate(["Hel", "lo"], {}, { progress })).toEqual({
    text: "Hello",
    tokens: { prompt: 4, output: 2 },
    finish: "stop",
  });
  expect(seen).toEqual(["Hel", "Hello"]);
});

test("with a schema the answer is JSON too, and one that is none fails with what to do", async () => {
  const schema = { type: "object" };
  expect(await generate(['{"a":', "1}"], { schema })).toMatchObject({ text: '{"a":1}', json: { a: 1 } });
  await expect(generate(['{"a":'], { schema })).rejects.toMatchObject({
    code: "model_failed",
    message: expect.stringContaining("simpler"),
  });
});

test.each(["qwen3", "qwen3:8b", "QWEN3:4b", "qwen3:4b "])("%j is not the granted qwen3:4b", async (model) => {
  const manifest = testManifest({ permissions: testPermissions(permissions) });
  const ask = () => prepareEffect("llm.generate", { ...request, model }, manifest);
  expect(ask).toThrow(`permissions.llm: ["${model}"]`);
  expect(ask).toThrow(expect.objectContaining({ code: "permission_denied" }));
});

test("what is longer than the limits is stopped, in either direction", async () => {
  const long = { limits: { responseBytes: 10, requestBytes: 10 } };
  const failure = generate(Array(500).fill("äöü"), {}, long);
  await expect(failure).rejects.toMatchObject({
    code: "limit_exceeded",
    message: expect.stringContaining("responseBytes"),
  });
  const asked = generate(["a"], { messages: [{ role: "user", content: "x".repeat(11) }] }, long);
  await expect(asked).rejects.toMatchObject({
    code: "limit_exceeded",
    message: expect.stringContaining("requestBytes"),
  });
  expect(await generate(["äöü", "1234"], {}, long)).toMatchObject({ text: "äöü1234" });
});

test("the end of the attempt ends the answer", async () => {
  const control = new AbortController();
  const progress = () => control.abort(new Error("ended"));
  await expect(generate(Array(500).fill("x"), {}, { progress, signal: control.signal })).rejects.toThrow("ended");
});

test.each([
  { messages: [] },
  { messages: [{ role: "tool", content: "x" }] },
  { temperature: -1 },
  { maxTokens: 0 },
  { seed: 0.5 },
  { schema: [] },
  { options: {} },
])("%j is refused", (more) => {
  const manifest = testManifest({ permissions: testPermissions(permissions) });
  expect(() => prepareEffect("llm.generate", { ...request, ...more }, manifest)).toThrow();
});
