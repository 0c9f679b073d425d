import { expect, test } from "vitest";
import type { ToolOffer } from "./types.ts";
import { readWrittenCalls } from "./written-calls.ts";

const tools: ToolOffer[] = ["web_fetch", "file_read"].map((name) => ({ name, description: "", inputSchema: {} }));
const call = { name: "web_fetch", arguments: { url: "https://example.org" } };
const json = JSON.stringify(call);

test.each([
  ["bare", json, [call], ""],
  ["with prose before it", `Let me look {that} up.\n${json}\n`, [call], "Let me look {that} up."],
  ["fenced", `Sure:\n\`\`\`json\n${json}\n\`\`\``, [call], "Sure:"],
  ["in a tag", `<tool_call>\n${json}\n</tool_call>`, [call], ""],
  [
    "in two tags",
    `<tool_call>${json}</tool_call>\n<tool_call>{"name":"file_read","arguments":{}}</tool_call>`,
    [call, { name: "file_read", arguments: {} }],
    "",
  ],
  ["in a list", `[${json}]`, [call], ""],
  [
    "as parameters",
    '{"name":"file_read","parameters":{"path":"a"}}',
    [{ name: "file_read", arguments: { path: "a" } }],
    "",
  ],
  [
    "as a function with its arguments as text",
    `{"type":"function","function":{"name":"file_read","arguments":"{\\"path\\":\\"a\\"}"}}`,
    [{ name: "file_read", arguments: { path: "a" } }],
    "",
  ],
  [
    "with a comma too many and a line break in a string",
    '{"name":"file_read","arguments":{"path":"a\nb",},}',
    [{ name: "file_read", arguments: { path: "a\nb" } }],
    "",
  ],
])("a call %s is read", (_, text, calls, rest) => {
  expect(readWrittenCalls(text, tools)).toEqual({ calls, rest });
});

test.each([
  ["of a tool that was not offered", '{"name":"job_approve","arguments":{}}'],
  ["with words after it", `${json}\nThat is how one would fetch it.`],
  ["with other keys, so that it is data", '{"name":"web_fetch","arguments":{},"price":3}'],
  ["cut off", json.slice(0, -2)],
  ["with arguments that are no object", '{"name":"web_fetch","arguments":"here"}'],
  ["beside something else in a list", `[${json}, 5]`],
])("a call %s stays text", (_, text) => {
  expect(readWrittenCalls(text, tools)).toEqual({ calls: [], rest: text });
});

test("a text of nothing but brackets is given up soon", () => {
  expect(readWrittenCalls("{".repeat(1_000_000), tools).calls).toEqual([]);
});
