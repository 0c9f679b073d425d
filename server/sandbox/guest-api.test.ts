import { afterAll, beforeAll, expect, test } from "vitest";
import { guestStartMs, jobSource, sandboxRun, testPool } from "../../tests/support/sandbox-run.ts";
import type { Pool } from "./types.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool({ max: 1, warm: 1 });
});
afterAll(() => pool[Symbol.asyncDispose]());

const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Runs a body whose calls get these results in turn; gives what it sent and what it returned. */
async function play(body: string, results: readonly unknown[]) {
  const sent: [op: string, args: unknown][] = [];
  const run = await sandboxRun(jobSource(body), {
    onEffect: async ({ seq, op, argsJson }, deliver) => {
      sent.push([op, JSON.parse(argsJson)]);
      deliver({ ok: true, json: JSON.stringify(results[seq - 1] ?? null), guestMs: guestStartMs });
    },
  });
  const outcome = await pool.run(run);
  const returned: unknown = outcome.state === "succeeded" ? JSON.parse(outcome.outputJson ?? "null") : outcome;
  return { sent, returned };
}

type Case = [body: string, result: unknown, op: string, args: object, returned: unknown];
const entry = { name: "a", type: "file", bytes: 1, modifiedMs: 2 };
const asked = { question: "Post?", choices: null, timeoutMs: null };
const told = { target: null, title: null, text: "hi", urgency: "normal" };
const program = { command: "/bin/x", args: [], cwd: null, stdin: null };
const ended = { code: 0, signal: null, stdout: base64("grün"), stderr: "" };
const ran = { run: "R12", state: "succeeded", output: [1], error: null };
const generated = { text: "x", tokens: { prompt: 1, output: 2 }, finish: "stop" };
const request = { model: "m", messages: [{ role: "user", content: "p" }], schema: null };
const numbers = { temperature: null, maxTokens: null, seed: null };

const cases: Case[] = [
  ["[...await files.read('~/a')]", { data: "/w==", bytes: 1, modifiedMs: 0 }, "files.read", { path: "~/a" }, [255]],
  ["await files.readText('/a')", { data: base64("ä") }, "files.read", { path: "/a" }, "ä"],
  ["await files.list('/a')", { entries: [entry] }, "files.list", { path: "/a" }, [entry]],
  ["await files.stat('/a')", null, "files.stat", { path: "/a" }, null],
  [
    "await files.write('/a', 'ä')",
    { bytes: 2 },
    "files.write",
    { path: "/a", data: base64("ä"), mode: "replace" },
    { bytes: 2 },
  ],
  [
    "await files.write('/a', new Uint8Array([255]), { mode: 'create' })",
    { bytes: 1 },
    "files.write",
    { path: "/a", data: "/w==", mode: "create" },
    { bytes: 1 },
  ],
  ["await files.delete('/a')", { deleted: true }, "files.delete", { path: "/a" }, true],
  [
    "await artifacts.write('r.md', '#')",
    { name: "r.md" },
    "artifacts.write",
    { name: "r.md", type: null, data: base64("#") },
    { name: "r.md" },
  ],
  ["await llm.generate({ model: 'm', prompt: 'p' })", generated, "llm.generate", { ...request, ...numbers }, generated],
  ["await notify('hi')", { target: "desktop" }, "notify", told, null],
  [
    "await notify({ text: 'hi', title: 'T', urgency: 'high' })",
    { target: "d" },
    "notify",
    { ...told, title: "T", urgency: "high" },
    null,
  ],
  ["await exec('/bin/x')", ended, "exec", program, { ...ended, stdout: "grün" }],
  [
    "(await exec('/bin/x', ['-a'], { cwd: '/w', stdin: 'in' })).code",
    ended,
    "exec",
    { ...program, args: ["-a"], cwd: "/w", stdin: base64("in") },
    0,
  ],
  ["await sleep('3d')", null, "sleep", { ms: 259_200_000 }, null],
  ["await sleep(1500)", null, "sleep", { ms: 1500 }, null],
  ["await sleep(new Date(Date.now() + 5000))", null, "sleep", { ms: 5000 }, null],
  ["await ask('Post?')", { answer: true }, "ask", { ...asked, schema: { type: "boolean" } }, true],
  [
    "await ask('Post?', { choices: ['a', 'b'], timeout: '1d', fallback: 'b' })",
    { answer: "b" },
    "ask",
    {
      ...asked,
      schema: { type: "string", enum: ["a", "b"] },
      choices: ["a", "b"],
      timeoutMs: 86_400_000,
      fallback: "b",
    },
    "b",
  ],
  [
    "await jobs.start('other', { n: 1 })",
    { run: "R12" },
    "run.start",
    { job: "other", input: { n: 1 } },
    { run: "R12" },
  ],
  ["await jobs.wait('R12')", ran, "run.wait", { run: "R12" }, ran],
];

test.each(cases)("%s crosses the border as the contract says", async (body, result, op, args, returned) => {
  const played = await play(`return ${body};`, [result]);
  expect(played.sent).toEqual([[op, args]]);
  expect(played.returned).toEqual(returned);
});

test("a model's answer is read by the schema that it was asked for with", async () => {
  const body = `const { json } = await llm.generate({ model: "m", prompt: "p",
    schema: z.object({ when: z.string().transform((text) => text.length), tag: z.string().default("none") }) });
    return json;`;
  const { sent, returned } = await play(body, [{ ...generated, json: { when: "now" } }]);
  expect(sent).toMatchObject([
    ["llm.generate", { schema: { type: "object", properties: { when: { type: "string" } } } }],
  ]);
  expect(returned).toEqual({ when: 3, tag: "none" });
});

test("an answer that does not fit the schema throws in the job", async () => {
  const { returned } = await play('try { await ask("n?", { schema: z.number() }); } catch (e) { return e.name; }', [
    { answer: "x" },
  ]);
  expect(returned).toBe("ZodError");
});

test("jobs.call gives the output, and throws with the reason where the run did not succeed", async () => {
  expect((await play('return jobs.call("other");', [{ run: "R12" }, ran])).returned).toEqual([1]);
  const failed = { run: "R12", state: "failed", output: null, error: { reason: "job_error", message: "no disk" } };
  const body = 'try { await jobs.call("other"); } catch (e) { return e.message; }';
  expect((await play(body, [{ run: "R12" }, failed])).returned).toBe("other (R12) ended as failed: no disk");
});

const wrong = [
  "files.read('')",
  "files.read(5)",
  "files.write('/a', {})",
  "artifacts.write('', 'x')",
  "llm.generate()",
  "llm.generate({ model: 'm' })",
  "llm.generate({ model: 'm', prompt: 'a', messages: [] })",
  "notify()",
  "notify({})",
  "exec('')",
  "exec('/bin/x', 'arg')",
  "exec('/bin/x', [1])",
  "sleep('soon')",
  "sleep(-1)",
  "sleep(new Date(NaN))",
  "ask('')",
  "ask('?', { choices: [] })",
  "ask('?', { choices: ['a'], schema: z.string() })",
  "ask('?', { timeout: 'later' })",
  "jobs.start('')",
  "jobs.wait()",
];

test("wrong arguments are a TypeError that says what is wrong, and nothing is called", async () => {
  const tries = wrong.map(
    (call) =>
      `await (async () => { try { await ${call}; return "no error"; } catch (e) { return [e.name, e.message !== ""]; } })()`,
  );
  const { sent, returned } = await play(`return [${tries.join(",\n")}];`, []);
  expect(sent).toEqual([]);
  expect(wrong.map((call, at) => [call, Array.isArray(returned) && returned[at]])).toEqual(
    wrong.map((call) => [call, ["TypeError", true]]),
  );
});
