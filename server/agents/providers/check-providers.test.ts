import { expect, test } from "vitest";
import { ollamaServer } from "../../../tests/support/ollama-server.ts";
import { configFile } from "../../config-schema.ts";
import { checkProviders } from "./check-providers.ts";

const { agents } = configFile.parse({});
const off = { ...agents.cloud.gemini, timeoutMs: 1_000 };
const cloud = { claude: off, gemini: off, codex: off };

test("only what the settings use is looked at, and a price that nobody knows is told", async () => {
  await using server = await ollamaServer();
  const ollama = { url: server.url, keepAlive: "0", concurrency: 1 };
  expect(await checkProviders({ ollama, agents: { ...agents, cloud } }, {})).toEqual([
    { name: "ollama", ok: true, version: "0.12.6", problem: null, next: null, note: null },
  ]);
  const gemini = { ...off, enabled: true, command: "/no/such/gemini" };
  const models = [{ provider: "gemini", model: null }] as const;
  expect(await checkProviders({ ollama, agents: { ...agents, models, cloud: { ...cloud, gemini } } }, {})).toEqual([
    expect.objectContaining({
      name: "gemini",
      ok: false,
      problem: expect.stringContaining("/no/such/gemini"),
      note: expect.stringContaining("usdPerMillion"),
    }),
  ]);
});
