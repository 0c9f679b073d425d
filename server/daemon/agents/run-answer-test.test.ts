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
  ["has no network", "export default async () => { await fetch('http://127.0.0.1/'); }", 1, false, "has no effects"],
  ["imports nothing", 'import fs from "node:fs"; export default () => fs;', 1, false, "imports nothing"],
  ["is a function", "export default 5;", 1, false, "export default (answer)"],
] as const)("a test %s", async (_, source, answer, ok, reason) => {
  expect(await judge(source, answer)).toMatchObject({ ok, reason: expect.stringContaining(reason) });
});
