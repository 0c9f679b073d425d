import type { CloudConfig } from "../../config.ts";
import { UserError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { checkCli } from "./check-cli.ts";
import type { CliAdapter } from "./cli-adapter.ts";
import { cliFailure } from "./cli-failure.ts";
import { FailedAnswer, nothingSpent } from "./failed-answer.ts";
import { priced, promptUsd } from "./price.ts";
import { readAnswer } from "./read-answer.ts";
import { renderPrompt } from "./render-prompt.ts";
import { runCli } from "./run-cli.ts";
import { withSecondTry } from "./second-try.ts";
import type { ChatAnswer, ChatRequest, ModelProvider } from "./types.ts";

type Deps = Readonly<{ config: CloudConfig; env: NodeJS.ProcessEnv; log: Log }>;

/** A host's own program as a model: one run of it for each answer, in which it can do nothing but answer. */
export function createCliProvider(adapter: CliAdapter, deps: Deps): ModelProvider {
  return {
    name: adapter.name,
    async chat(request, { signal }) {
      if (!deps.config.enabled) throw notEnabled(adapter);
      return await withSecondTry(request, (each) => askCli(adapter, deps, each, signal));
    },
    check: () => checkCli(adapter, deps),
  };
}

function notEnabled({ name, title }: CliAdapter): UserError {
  return new UserError("provider_missing", `${title} is not enabled as a model of agents.`, {
    next: `it costs money and sees what the agent sees; if that is wanted: agents.cloud.${name}.enabled: true in config.yaml, then jr restart`,
  });
}

async function askCli(
  adapter: CliAdapter,
  { config, env, log }: Deps,
  request: ChatRequest,
  signal: AbortSignal,
): Promise<ChatAnswer> {
  const { system, prompt } = renderPrompt(request);
  requireBudget(adapter, request.maxUsd, promptUsd(system + prompt, config.usdPerMillion));
  const { maxOutputTokens, temperature, seed, maxUsd } = request;
  const model = request.model ?? config.model;
  const order = { model, system, maxOutputTokens, temperature, seed, maxUsd };
  const startedMs = performance.now();
  const reply = await runCli({ adapter, config, env, prompt, order, signal });
  const spent = priced(reply.spent, config.usdPerMillion);
  const ms = Math.round(performance.now() - startedMs);
  log.info(
    { provider: adapter.name, model, ...spent.tokens, costMicroUsd: spent.costMicroUsd, ms, ok: reply.ok },
    "model answered",
  );
  if (!reply.ok) throw cliFailure(adapter, reply, spent);
  return readAnswer(request, { text: reply.text, cut: reply.cut, spent });
}

function requireBudget({ title }: CliAdapter, maxUsd: number | null, leastUsd: number): void {
  if (maxUsd === null || (maxUsd > 0 && leastUsd <= maxUsd)) return;
  const message = `${title} was not asked: the prompt alone costs about ${leastUsd.toFixed(4)} dollars, and ${maxUsd.toFixed(4)} are left.`;
  throw new FailedAnswer("budget_exceeded", message, {
    next: "allow more, or ask a cheaper model",
    spent: nothingSpent,
  });
}
