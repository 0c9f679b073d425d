import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { anthropicServer } from "../../../tests/support/anthropic-server.ts";
import type { ApiServer, Replies } from "../../../tests/support/api-server.ts";
import { geminiServer } from "../../../tests/support/gemini-server.ts";
import { openaiServer } from "../../../tests/support/openai-server.ts";
import type { CloudName } from "../../config-schema.ts";
import { silentLog } from "../../log.ts";
import { claude } from "./claude.ts";
import { createCliProvider } from "./cli-provider.ts";
import { codex } from "./codex.ts";
import { gemini } from "./gemini.ts";
import type { ChatRequest } from "./types.ts";

/*
 * The real programs against stand-ins for their models, in a home whose owner has hooks, MCP servers and notes that must not
 * be touched. A program is found on the PATH, or by JOBRUNNER_TEST_CLAUDE, _GEMINI, _CODEX; one that is not there is skipped.
 */

const root = mkdtempSync(join(tmpdir(), "jr-real-clis-"));
const home = join(root, "home");
const touched = join(root, "touched");
afterAll(() => rmSync(root, { recursive: true, force: true }));

const programs: Readonly<Record<CloudName, string | undefined>> = {
  claude: findReal("claude", process.env.JOBRUNNER_TEST_CLAUDE),
  gemini: findReal("gemini", process.env.JOBRUNNER_TEST_GEMINI),
  codex: findReal("codex", process.env.JOBRUNNER_TEST_CODEX),
};
for (const [name, path] of Object.entries(programs))
  if (path === undefined)
    process.stderr.write(
      `\nSKIPPED: no ${name} here; JOBRUNNER_TEST_${name.toUpperCase()}=/path/to/${name} tests the real one.\n`,
    );

function findReal(name: string, path: string | undefined): string | undefined {
  if (path) return path;
  try {
    return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

beforeAll(() => {
  const hook = { hooks: [{ type: "command", command: `touch ${touched}` }] };
  const server = { command: "touch", args: [touched] };
  const write = (path: string, content: unknown) => {
    const file = join(home, path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  };
  write(".claude.json", { mcpServers: { evil: { type: "stdio", ...server } } });
  write(".claude/settings.json", { hooks: { SessionStart: [hook], UserPromptSubmit: [hook], Stop: [hook] } });
  write(".claude/CLAUDE.md", "NOTES OF THE OWNER");
  write(".gemini/settings.json", {
    security: { auth: { selectedType: "oauth-personal" } },
    mcpServers: { evil: server },
    hooks: { SessionStart: [hook], BeforeAgent: [hook] },
  });
  write(".gemini/GEMINI.md", "NOTES OF THE OWNER");
  write(
    ".codex/config.toml",
    `notify = ["touch", ${JSON.stringify(touched)}]\n[mcp_servers.evil]\ncommand = "touch"\nargs = [${JSON.stringify(touched)}]\n`,
  );
});

const plain: ChatRequest = {
  model: null,
  messages: [
    { role: "system", content: "You are a careful reader." },
    { role: "user", content: "What is 2+3?" },
  ],
  tools: [],
  schema: null,
  maxOutputTokens: null,
  contextTokens: null,
  temperature: null,
  seed: null,
  maxUsd: null,
};

type Stand = Readonly<{
  adapter: typeof claude;
  model: string;
  serve(reply: Replies): Promise<ApiServer>;
  env(url: string): Record<string, string>;
  command(path: string, url: string): string;
  costMicroUsd: number;
  /** How the most tokens of an answer are said. */
  most: string;
}>;

const stands: Readonly<Record<CloudName, Stand>> = {
  claude: {
    adapter: claude,
    model: "claude-opus-4-8",
    serve: anthropicServer,
    env: (url) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: "sk-test" }),
    command: (path) => path,
    costMicroUsd: 800,
    most: '"max_tokens":700',
  },
  gemini: {
    adapter: gemini,
    model: "gemini-2.5-flash",
    serve: geminiServer,
    env: (url) => ({ GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: "test" }),
    command: (path) => path,
    costMicroUsd: 220,
    most: '"maxOutputTokens":700',
  },
  codex: {
    adapter: codex,
    model: "gpt-5.2",
    serve: openaiServer,
    env: () => ({ CODEX_API_KEY: "sk-test" }),
    command: wrappedCodex,
    costMicroUsd: 220,
    most: "at most 700 tokens",
  },
};

/** Codex has no variable for the address, so its argument is put before ours. */
function wrappedCodex(path: string, url: string): string {
  const file = join(mkdtempSync(join(root, "codex-")), "codex");
  const provider = `{name="stand",base_url="${url}/v1",wire_api="responses",env_key="CODEX_API_KEY",request_max_retries=0,stream_max_retries=0}`;
  const config = `-c model_provider=stand -c 'model_providers.stand=${provider}'`;
  writeFileSync(file, `#!/bin/sh\nexec "${path}" ${config} "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

async function ask(name: CloudName, reply: Replies, request: Partial<ChatRequest> = {}, timeoutMs = 60_000) {
  const { adapter, model, serve, env, command } = stands[name];
  await using server = await serve(reply);
  const config = {
    enabled: true,
    command: command(programs[name] ?? name, server.url),
    model,
    env: env(server.url),
    usdPerMillion: { input: 1, output: 10 },
    timeoutMs,
  };
  const ours = { PATH: process.env.PATH, HOME: home };
  const provider = createCliProvider(adapter, { config, env: ours, log: silentLog });
  const answer = await provider.chat({ ...plain, ...request }, { signal: new AbortController().signal });
  return { answer, questions: server.questions };
}

const offered = z.looseObject({
  tools: z.array(z.looseObject({ functionDeclarations: z.array(z.unknown()).optional() })).default([]),
});

/** Tools that the program itself gives to the model. */
function toolsIn(body: unknown): unknown[] {
  return offered.parse(body).tools.flatMap(({ functionDeclarations, ...tool }) => functionDeclarations ?? [tool.name]);
}

for (const name of ["claude", "gemini", "codex"] as const) {
  const { costMicroUsd, model } = stands[name];
  const run = test.skipIf(programs[name] === undefined);

  run(
    `the real ${name} answers in one question without tools of its own, and nothing of its owner's is touched`,
    async () => {
      const { answer, questions } = await ask(name, () => ({ text: "It is 5." }), { maxUsd: 1, maxOutputTokens: 700 });
      expect(answer).toEqual({
        text: "It is 5.",
        toolCalls: [],
        tokens: { prompt: 100, output: 12 },
        costMicroUsd,
        finish: "stop",
      });
      expect(questions).toHaveLength(1);
      expect(questions[0]?.text).toContain("What is 2+3?");
      expect(questions[0]?.text).toContain("You are a careful reader.");
      expect(`${questions[0]?.path}${questions[0]?.text}`).toContain(model);
      expect(questions[0]?.text).toContain(stands[name].most);
      // Codex keeps one that asks the person, who is not there.
      expect(toolsIn(questions[0]?.body)).toEqual(name === "codex" ? ["request_user_input"] : []);
      // Gemini and Codex have no way to leave their owner's notes out.
      if (name === "claude") expect(questions[0]?.text).not.toContain("NOTES OF THE OWNER");
      expect(existsSync(touched)).toBe(false);
    },
  );

  run(`the real ${name} calls tools of the agent, and is asked again for an answer that does not fit`, async () => {
    const tools = [{ name: "web_fetch", description: "Reads a page", inputSchema: { type: "object" } }];
    const call = { name: "web_fetch", arguments: { url: "https://example.org" } };
    const { answer } = await ask(name, () => ({ text: JSON.stringify({ tool_calls: [call] }) }), { tools });
    expect(answer).toMatchObject({ toolCalls: [{ id: "call_1", ...call }], finish: "tool_calls" });
    const schema = { type: "object", properties: { answer: { type: "integer" } }, required: ["answer"] };
    const replies = [{ text: "five" }, { text: '{"answer":5}' }];
    const fitted = await ask(name, (_, index) => replies[index] ?? {}, { schema });
    expect(fitted.answer).toMatchObject({
      text: '{"answer":5}',
      tokens: { prompt: 200, output: 24 },
      costMicroUsd: 2 * costMicroUsd,
    });
  });

  run(
    `the real ${name} whose key is wrong, who is limited, or who hangs, is told as such`,
    async () => {
      const status = name === "gemini" ? 400 : 401;
      const refused = (code: number, message: string) => ask(name, () => ({ refusal: { status: code, message } }));
      await expect(refused(status, "API key not valid")).rejects.toMatchObject({ code: "provider_missing" });
      await expect(refused(429, "Rate limit reached")).rejects.toMatchObject({ code: "model_unavailable" });
      await expect(ask(name, () => ({ silent: true }), {}, 15_000)).rejects.toMatchObject({
        code: "model_unavailable",
        message: expect.stringContaining("within 15s"),
      });
    },
    180_000,
  );
}

test.skipIf(programs.claude === undefined)("the real claude stops at the budget", async () => {
  const expensive = { tokens: { prompt: 1_000_000, output: 5_000 } };
  await expect(ask("claude", () => expensive, { maxUsd: 0.01 })).rejects.toMatchObject({
    code: "budget_exceeded",
    spent: { tokens: { prompt: 1_000_000, output: 5_000 } },
  });
});
