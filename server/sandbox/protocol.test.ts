import { expect, test } from "vitest";
import { parseChildMessage } from "./protocol.ts";

test("a message of the runner is taken as it is", () => {
  const message = { type: "effect", seq: 1, op: "kv.get", argsJson: "{}" };
  expect(parseChildMessage(JSON.stringify(message))).toEqual(message);
});

test.each([
  ["no JSON", "{"],
  ["a value", "1"],
  ["an unknown type", '{"type":"approve"}'],
  ["a missing member", '{"type":"effect","seq":1,"op":"kv.get"}'],
  ["a further member", '{"type":"ready","approved":true}'],
  ["a number that counts nothing", '{"type":"effect","seq":0,"op":"kv.get","argsJson":"{}"}'],
  ["an unknown level", '{"type":"log","n":1,"level":"fatal","text":"","guestMs":0}'],
  ["an unknown outcome", '{"type":"done","outcome":{"state":"approved"}}'],
  ["a prototype for a type", '{"__proto__":{"type":"ready"}}'],
])("%s is refused", (_what, line) => {
  expect(parseChildMessage(line)).toBeUndefined();
});
