import { expect, test } from "vitest";
import { nothingSpent } from "./failed-answer.ts";
import { readAnswer } from "./read-answer.ts";
import type { ChatRequest } from "./types.ts";

const tools = [{ name: "web_fetch", description: "Reads a page", inputSchema: { type: "object" } }];
const schema = { type: "object", properties: { answer: { type: "integer" } }, required: ["answer"] };
const plain: ChatRequest = {
  model: null,
  messages: [{ role: "user", content: "Hi" }],
  tools: [],
  schema: null,
  maxOutputTokens: null,
  contextTokens: null,
  temperature: null,
  seed: null,
  maxUsd: null,
};
const call = { name: "web_fetch", arguments: { url: "https://example.org" } };
const wanted = [{ id: "call_1", ...call }];

test.each([
  ["bare", JSON.stringify({ tool_calls: [call] })],
  [
    "fenced with prose around it",
    `I will look.\n\`\`\`json\n${JSON.stringify({ tool_calls: [call] })}\n\`\`\`\nThen I can say.`,
  ],
  [
    "with its arguments as text",
    JSON.stringify({ tool_calls: [{ ...call, arguments: JSON.stringify(call.arguments) }] }),
  ],
  ["beside an answer that comes too early", `${JSON.stringify({ tool_calls: [call] })}{"final_answer":"?"}`],
  ["without the form", `<tool_call>${JSON.stringify(call)}</tool_call>`],
])("a call %s is a call", (_, text) => {
  const answer = readAnswer({ ...plain, tools }, { text, spent: nothingSpent, cut: false });
  expect(answer).toMatchObject({ toolCalls: wanted, finish: "tool_calls" });
});

test.each([
  ["as text", '{"final_answer": "All {done}"}', null, "All {done}"],
  ["that quotes a call", JSON.stringify({ final_answer: JSON.stringify(call) }), null, JSON.stringify(call)],
  ["in prose, without the form", "All done.", null, "All done."],
  ["as JSON", '```\n{"final_answer": {"answer": 5}}\n```', schema, '{"answer":5}'],
  ["as JSON without the form", 'So: {"answer": 5}', schema, '{"answer":5}'],
])("a final answer %s ends the work", (_, text, wantedSchema, final) => {
  const answer = readAnswer({ ...plain, tools, schema: wantedSchema }, { text, spent: nothingSpent, cut: false });
  expect(answer).toMatchObject({ text: final, toolCalls: [], finish: "stop" });
});

test.each([
  ["whose calls are none", '{"tool_calls": [{"tool": "x"}]}', schema, "does not fit the schema"],
  ["that is empty", " ", null, "empty"],
])("an answer %s cannot be used", (_, text, wantedSchema, reason) => {
  const read = () => readAnswer({ ...plain, tools, schema: wantedSchema }, { text, spent: nothingSpent, cut: false });
  expect(read).toThrow(reason);
});
