import { expect, test } from "vitest";
import {
  type CliOutput,
  claudeFails,
  claudeOverBudget,
  codexFails,
  geminiFails,
  geminiNoLogin,
} from "../../../tests/support/fake-clis/recorded.ts";
import type { CloudName } from "../../config-schema.ts";
import { claude } from "./claude.ts";
import { cliFailure } from "./cli-failure.ts";
import { codex } from "./codex.ts";
import { nothingSpent } from "./failed-answer.ts";
import { gemini } from "./gemini.ts";

const adapters = { claude, gemini, codex };

test.each([
  ["claude", claudeFails("Not logged in · Please run /login", null), "provider_missing", "claude auth login"],
  ["claude", claudeFails("Failed to authenticate. API Error: 401 x", 401), "provider_missing", "claude auth login"],
  ["claude", claudeFails("API Error: Request rejected (429) · slow", 429), "model_unavailable", "wait"],
  ["claude", claudeFails("API Error: 529 Overloaded.", 529), "model_unavailable", "wait"],
  ["claude", claudeFails("There's an issue with the selected model (x).", 404), "model_missing", "claude.model"],
  [
    "claude",
    claudeFails("API Error: Claude's response exceeded the 500 output token maximum.", null),
    "model_failed",
    "outputTokens",
  ],
  ["claude", claudeOverBudget, "budget_exceeded", "allow more"],
  ["claude", { stderr: "error: unknown option '--tools'", code: 1 }, "model_failed", "by hand"],
  ["claude", { stdout: '{"type":"res', code: 0 }, "model_failed", "by hand"],
  ["gemini", geminiNoLogin, "provider_missing", "log in"],
  ["gemini", geminiFails("API key not valid", 400), "provider_missing", "log in"],
  ["gemini", geminiFails("Resource has been exhausted", 429), "model_unavailable", "wait"],
  ["gemini", { code: 1 }, "model_failed", "by hand"],
  ["codex", codexFails("unexpected status 401 Unauthorized: x"), "provider_missing", "codex login"],
  ["codex", codexFails("exceeded retry limit, last status: 429 Too Many Requests"), "model_unavailable", "wait"],
  ["codex", codexFails("We’re currently experiencing high demand"), "model_unavailable", "wait"],
  ["codex", codexFails("unexpected status 404 Not Found: model_not_found"), "model_missing", "codex.model"],
  ["codex", codexFails("Incomplete response returned, reason: max_output_tokens"), "model_failed", "outputTokens"],
  ["codex", { stderr: "error: unexpected argument '--ephemeral'", code: 2 }, "model_failed", "by hand"],
] satisfies [CloudName, CliOutput, string, string][])(
  "%s that says %j fails as %s with what to do",
  (name, output, code, next) => {
    const { stdout = "", stderr = "", code: exit = 0 } = output;
    const reply = adapters[name].read({ code: exit, stdout, stderr }, { maxOutputTokens: null });
    if (reply.ok) throw new Error("it was read as an answer");
    expect(cliFailure(adapters[name], reply, nothingSpent)).toMatchObject({
      code,
      next: expect.stringContaining(next),
    });
  },
);
