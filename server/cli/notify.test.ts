import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, expect, test } from "vitest";
import { testServer } from "../../tests/support/effects.ts";
import { ollamaServer } from "../../tests/support/ollama-server.ts";
import { loadConfig } from "../config.ts";
import { homePaths } from "../home.ts";
import { modelsCheck } from "./doctor/models-check.ts";
import { runCli } from "./run-cli.ts";

const root = mkdtempSync(join(tmpdir(), "jr-notify-"));
afterAll(() => rmSync(root, { recursive: true }));

function contextOf(env: NodeJS.ProcessEnv) {
  const out = new PassThrough();
  const { signal } = new AbortController();
  const streams = { stdin: Readable.from([]), stdout: out, stderr: out };
  return { out, env, home: homePaths(env), ...streams, colour: false, interactive: false, signal };
}

/** Runs `jr …` with these settings and gives back its exit code and what it printed. */
async function jr(args: readonly string[]): Promise<{ code: number; text: string }> {
  const { out, ...context } = contextOf({ JOBRUNNER_HOME: root });
  const code = await runCli(context, args);
  return { code, text: String(out.read() ?? "") };
}

test("jr notify sends by the settings as they are, and jr config check shows no address", async () => {
  await using server = await testServer((_, response) => response.end());
  const settings = `notify:\n  targets:\n    hook:\n      kind: webhook\n      url: ${server.origin}/hidden\n`;
  writeFileSync(join(root, "config.yaml"), settings);
  const sent = await jr(["notify", "hook", "it", "works", "--title", "Test", "--urgency", "low"]);
  expect(sent).toEqual({ code: 0, text: "Sent to hook.\n" });
  expect(JSON.parse(server.received[0]?.body ?? "")).toEqual({ title: "Test", text: "it works", urgency: "low" });
  const missing = await jr(["notify", "phone", "x"]);
  expect(missing.code).not.toBe(0);
  expect(missing.text).toContain("desktop, hook");
  const shown = await jr(["config", "check"]);
  expect(shown.text).toContain("webhook");
  expect(shown.text).not.toContain("hidden");
});

test("the doctor tells which models are there, and only warns where none is", async () => {
  const look = (OLLAMA_HOST: string) => {
    const context = contextOf({ JOBRUNNER_HOME: root, OLLAMA_HOST });
    return modelsCheck.look({ context, config: loadConfig(context.home, context.env), running: false });
  };
  const { url } = await (async () => {
    await using server = await ollamaServer({ models: ["qwen3:4b", "gemma3:1b"] });
    expect(await look(server.url)).toEqual({ level: "ok", text: "Ollama 0.12.6: qwen3:4b, gemma3:1b" });
    return server;
  })();
  expect(await look(url)).toMatchObject({ level: "warn", text: expect.stringContaining("ECONNREFUSED") });
  await using empty = await ollamaServer({ models: [] });
  expect(await look(empty.url)).toMatchObject({ level: "warn", fix: expect.stringContaining("ollama pull") });
});
