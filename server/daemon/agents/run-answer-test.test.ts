import { afterAll, beforeAll, expect, test } from "vitest";
import { testPool } from "../../../tests/support/sandbox-run.ts";
import type { Pool } from "../../sandbox/types.ts";
import { runAnswerTest } from "./run-answer-test.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

const judge = (source: string, answer: unknown) =>
  runAnswerTest({ pool, clock: () => new Date(0) }, { source, answer }, new AbortController().signal);

test.each([
  ["accepts", "export default (a: { n: number }) => { if (a.n < 0) throw new Error('negative'); }", { n: 1 }, true, ""],
  ["refuses", "export default (a) => { if (a.n < 0) throw new Error('negative'); }", { n: -1 }, false, "negative"],
  ["waits", "export default async (a) => { await null; throw new Error(a); }", "text", false, "text"],
] as const)("a test %s", async (_, source, answer, ok, reason) => {
  expect(await judge(source, answer)).toMatchObject({ ok, reason: expect.stringContaining(reason) });
});

test.each([
  ["reaches the network", "export default async () => { await fetch('http://127.0.0.1/'); }", "calls fetch"],
  ["imports", 'import fs from "node:fs"; export default () => fs;', "imports nothing"],
  ["does not compile", "export default (", "does not compile"],
  ["exports no function", "export default 5;", "exports no function"],
] as const)("a test that %s is no judge of anything", async (_, source, message) => {
  await expect(judge(source, 1)).rejects.toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining(message),
    next: expect.stringContaining("export default (answer)"),
  });
});
