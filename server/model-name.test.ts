import { expect, test } from "vitest";
import { parseModel } from "./agents/parse-model.ts";
import { readModelName } from "./model-name.ts";

test.each([
  ["ollama:qwen3:4b", { provider: "ollama", model: "qwen3:4b" }],
  [" ollama  qwen3:4b ", { provider: "ollama", model: "qwen3:4b" }],
  ["claude:opus", { provider: "claude", model: "opus" }],
  ["codex", { provider: "codex", model: null }],
  ["qwen3:4b", undefined],
  ["claude opus 4", undefined],
  ["ollama:", undefined],
  ["", undefined],
])("%j is read as a model", (text, model) => {
  expect(readModelName(text)).toEqual(model);
});

test("a model that names no provider is one of Ollama", () => {
  expect(parseModel("hf.co/some/model:Q4")).toEqual({ provider: "ollama", model: "hf.co/some/model:Q4" });
  expect(() => parseModel("claude opus 4")).toThrowError(/is no model/);
});
