import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import {
  type CliOutput,
  claudeFails,
  claudeSays,
  codexSays,
  geminiSays,
} from "../../../tests/support/fake-clis/recorded.ts";
import type { CloudConfig } from "../../config.ts";
import type { CloudName } from "../../config-schema.ts";
import { silentLog } from "../../log.ts";
import { claude } from "./claude.ts";
import { createCliProvider } from "./cli-provider.ts";
import { codex } from "./codex.ts";
import { gemini } from "./gemini.ts";
import type { ChatRequest, ToolOffer } from "./types.ts";

const fake = fileURLToPath(new URL("../../../tests/support/fake-clis/fake-cli.mjs", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "jr-cli-provider-"));
afterAll(() => rmSync(root, { recursive: true }));

const adapters = { claude, gemini, codex };
const says = { claude: claudeSays, gemini: geminiSays, codex: codexSays };
const each = ["claude", "gemini", "codex"] as const;

const record = z.object({
  args: z.array(z.string()),
  env: z.record(z.string(), z.string()),
  cwd: z.string(),
  files: z.array(z.string()),
  system: z.string().nullable(),
  stdin: z.string(),
  pid: z.number(),
  helper: z.number().nullable(),
});

const tools: ToolOffer[] = [
  {
    name: "web_fetch",
    description: "Reads a page",
    inputSchema: { type: "object", properties: { url: { type: "string" } } },
  },
];
const schema = { type: "object", properties: { answer: { type: "integer" } }, required: ["answer"] };
const plain: ChatRequest = {
  model: null,
  messages: [
    { role: "system", content: "You are a careful reader." },
    { role: "user", content: "What is 2+3? $(touch x) `id`" },
  ],
  tools: [],
  schema: null,
  maxOutputTokens: null,
  contextTokens: null,
  temperature: null,
  seed: null,
  maxUsd: null,
};

function player(name: CloudName, replies: readonly CliOutput[], settings: Partial<CloudConfig> = {}) {
  const file = join(mkdtempSync(join(root, "record-")), "record");
  const config: CloudConfig = {
    enabled: true,
    command: fake,
    model: null,
    env: { FAKE_CLI: JSON.stringify({ record: file, replies }) },
    usdPerMillion: null,
    timeoutMs: 30_000,
    ...settings,
  };
  const env = { PATH: process.env.PATH, HOME: root, AWS_SECRET_ACCESS_KEY: "hidden", ANTHROPIC_API_KEY: "hidden" };
  const provider = createCliProvider(adapters[name], { config, env, log: silentLog });
  const runs = () =>
    existsSync(file)
      ? readFileSync(file, "utf8")
          .trim()
          .split("\n")
          .map((line) => record.parse(JSON.parse(line)))
      : [];
  return { provider, runs };
}

async function play(name: CloudName, replies: readonly CliOutput[], request: Partial<ChatRequest> = {}, settings = {}) {
  const { provider, runs } = player(name, replies, settings);
  const answer = await provider.chat({ ...plain, ...request }, { signal: new AbortController().signal });
  return { answer, runs: runs() };
}

test.each(each)("%s is given everything on standard input, in a new folder, without our environment", async (name) => {
  const { answer, runs } = await play(name, [says[name]("It is 5.")], { model: "some-model", maxOutputTokens: 500 });
  expect(answer).toMatchObject({ text: "It is 5.", toolCalls: [], finish: "stop" });
  const [run] = runs;
  expect(run?.stdin).toContain(JSON.stringify({ from: "user", text: plain.messages[1]?.content }));
  expect(run?.system).toMatch(/no tools, files or commands.*\n\nYou are a careful reader\.$/s);
  expect(run?.args.join(" ")).not.toMatch(/2\+3|careful/);
  expect(run?.args[(run.args.indexOf("--model") ?? 0) + 1]).toBe("some-model");
  expect(run?.cwd).toContain("jobrunner-model-");
  expect(existsSync(run?.cwd ?? "")).toBe(false);
  expect(Object.values(run?.env ?? {})).not.toContain("hidden");
  expect(run?.env).toMatchObject({ HOME: root, TMPDIR: run?.cwd });
});

test("each is told to use no tools, settings, servers and hooks, in its own words", async () => {
  const [c, g, x] = await Promise.all(
    each.map(async (name) => (await play(name, [says[name]("ok")], { maxUsd: 0.5 })).runs[0]),
  );
  expect(c?.args).toEqual(
    expect.arrayContaining(["--tools", "", "--strict-mcp-config", "--setting-sources", "dontAsk"]),
  );
  expect(c?.args[(c.args.indexOf("--max-budget-usd") ?? 0) + 1]).toBe("0.500000");
  expect(g?.files).toEqual([".gemini", ".gemini/settings.json", "deny.toml", "system.md"]);
  expect(g?.args).toEqual(expect.arrayContaining(["--admin-policy", "--allowed-mcp-server-names", "none"]));
  expect(x?.args).toEqual(
    expect.arrayContaining(["--ignore-user-config", "--ephemeral", "read-only", "features.shell_tool=false"]),
  );
});

test.each([
  ["claude", { prompt: 116, output: 12 }, 800],
  ["gemini", { prompt: 100, output: 17 }, 271],
  ["codex", { prompt: 100, output: 12 }, 221],
] as const)(
  "%s: tokens are counted, and money as it says or by the prices of the settings",
  async (name, tokens, cost) => {
    const { answer } = await play(name, [says[name]("x")], {}, { usdPerMillion: { input: 1.01, output: 10 } });
    expect(answer).toMatchObject({ tokens, costMicroUsd: cost });
  },
);

test("a call in the reply is a call of the agent's tools", async () => {
  const call = { name: "web_fetch", arguments: { url: "https://example.org" } };
  const { answer, runs } = await play("claude", [claudeSays(JSON.stringify({ tool_calls: [call] }))], { tools });
  expect(answer).toMatchObject({ toolCalls: [{ id: "call_1", ...call }], finish: "tool_calls" });
  expect(runs[0]?.stdin).toContain('{"name":"web_fetch","description":"Reads a page","arguments":{"type":"object"');
});

test("an answer that cannot be used is asked for once more with the reason, and both are paid", async () => {
  const { answer, runs } = await play("claude", [claudeSays("five"), claudeSays('{"answer": 5}')], {
    schema,
    maxUsd: 1,
  });
  expect(answer).toMatchObject({ text: '{"answer":5}', tokens: { prompt: 232, output: 24 }, costMicroUsd: 1_600 });
  expect(runs[1]?.stdin).toContain("That answer cannot be used: it holds no JSON. Answer again.");
  expect(runs[1]?.args).toContain("0.999200");
  await expect(play("claude", [claudeSays("five"), claudeFails("slow down", 429)], { schema })).rejects.toMatchObject({
    code: "model_unavailable",
    spent: { costMicroUsd: 1_600 },
  });
});

test("an answer of Gemini CLI that has used all its tokens counts as cut off", async () => {
  const { answer } = await play("gemini", [geminiSays("Half an")], { maxOutputTokens: 17 });
  expect(answer).toMatchObject({ text: "Half an", finish: "length" });
});

test("an empty answer is asked for again, then it is a failure", async () => {
  await expect(play("gemini", [geminiSays("")])).rejects.toMatchObject({
    code: "model_failed",
    message: expect.stringContaining("empty"),
  });
});

test("what goes beyond the budget is not asked", async () => {
  const { provider, runs } = player("codex", [codexSays("x")], { usdPerMillion: { input: 1_000, output: 1 } });
  const ask = (maxUsd: number) => provider.chat({ ...plain, maxUsd }, { signal: new AbortController().signal });
  await expect(ask(0.001)).rejects.toMatchObject({ code: "budget_exceeded", spent: { costMicroUsd: 0 } });
  await expect(ask(0)).rejects.toMatchObject({ code: "budget_exceeded" });
  expect(runs()).toEqual([]);
});

test("programs that are not there or not enabled are told with what to do", async () => {
  await expect(play("gemini", [], {}, { command: join(root, "none") })).rejects.toMatchObject({
    code: "provider_missing",
    next: expect.stringContaining("npm install -g @google/gemini-cli"),
  });
  await expect(play("gemini", [], {}, { enabled: false })).rejects.toMatchObject({
    code: "provider_missing",
    next: expect.stringContaining("agents.cloud.gemini.enabled"),
  });
});

test("cancelling and time end the program and its helpers, though they do not listen", async () => {
  const { provider, runs } = player("claude", [{ hang: true }]);
  const control = new AbortController();
  const failure = provider.chat(plain, { signal: control.signal });
  await expect.poll(() => runs().length, { timeout: 20_000 }).toBe(1);
  control.abort(new Error("cancelled"));
  await expect(failure).rejects.toThrow("cancelled");
  const [run] = runs();
  for (const pid of [run?.pid, run?.helper]) expect(() => process.kill(pid ?? 0, 0)).toThrow("ESRCH");
  expect(existsSync(run?.cwd ?? "")).toBe(false);
  await expect(play("claude", [{ hang: true }], {}, { timeoutMs: 1_000 })).rejects.toMatchObject({
    code: "model_unavailable",
    message: expect.stringContaining("within 1s"),
  });
});

test("a program that floods is ended", async () => {
  await expect(play("codex", [{ flood: true }])).rejects.toMatchObject({
    code: "model_failed",
    message: expect.stringContaining("bytes"),
  });
});

test("a check tells the version, and what is missing", async () => {
  const check = (name: CloudName, replies: CliOutput[], settings = {}) =>
    player(name, replies, settings).provider.check();
  const version = { stdout: "2.1.197 (Claude Code)\n" };
  expect(await check("claude", [version, { stdout: "{}" }])).toEqual({
    ok: true,
    version: "2.1.197",
    problem: null,
    next: null,
  });
  expect(await check("codex", [{ stdout: "codex-cli 0.171.0\n" }, { code: 1 }])).toMatchObject({
    ok: false,
    version: "0.171.0",
    next: expect.stringContaining("codex login"),
  });
  expect(await check("gemini", [{ stdout: "0.61.0\n" }])).toMatchObject({ ok: true, version: "0.61.0" });
  expect(await check("gemini", [{ stderr: "broken", code: 1 }])).toMatchObject({
    ok: false,
    problem: expect.stringContaining("broken"),
  });
  expect(await check("gemini", [], { command: "no-such-program-here" })).toMatchObject({
    ok: false,
    next: expect.stringContaining("npm install"),
  });
  expect(await check("gemini", [], { enabled: false })).toMatchObject({
    ok: false,
    problem: "Gemini CLI is not enabled",
  });
});
