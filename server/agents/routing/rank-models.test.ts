import { expect, test } from "vitest";
import type { ModelChoice } from "../../config.ts";
import type { ModelStats } from "./model-stats.ts";
import { rankModels } from "./rank-models.ts";

const small: ModelChoice = { provider: "ollama", model: "small" };
const large: ModelChoice = { provider: "ollama", model: "large" };
const claude: ModelChoice = { provider: "claude", model: null };

function stats(choice: ModelChoice, change: Partial<ModelStats>): ModelStats {
  return {
    role: "r",
    provider: choice.provider,
    model: choice.model ?? "",
    complexity: "medium",
    accepted: 0,
    refused: 0,
    failed: 0,
    calls: 0,
    errors: 0,
    tokens_in: 0,
    tokens_out: 0,
    cost_microusd: 0,
    busy_ms: 0,
    updated_at: new Date(0),
    idle_days: 0,
    ...change,
  };
}

const tried = (accepted: number, refused: number, seconds = 20) => ({
  accepted,
  refused,
  calls: accepted + refused,
  busy_ms: (accepted + refused) * seconds * 1_000,
});

test.each([
  [
    "untried, local ones go first in the order of the role",
    [small, large, claude],
    [],
    "medium",
    "normal",
    [small, large, claude],
  ],
  ["a hard task is worth a cloud model", [small, claude], [], "high", "normal", [claude, small]],
  [
    "what is refused goes behind",
    [small, large],
    [stats(small, tried(1, 9)), stats(large, tried(9, 1))],
    "medium",
    "normal",
    [large, small],
  ],
  [
    "what is slow goes behind where it hurries",
    [small, large],
    [stats(small, tried(9, 1, 200)), stats(large, tried(8, 2, 5))],
    "medium",
    "now",
    [large, small],
  ],
  [
    "and is asked where it does not",
    [small, large],
    [stats(small, tried(9, 1, 200)), stats(large, tried(7, 3, 5))],
    "medium",
    "low",
    [small, large],
  ],
  [
    "what was refused long ago gets another chance",
    [small, large],
    [stats(small, { ...tried(0, 5), idle_days: 300 }), stats(large, tried(5, 5))],
    "medium",
    "normal",
    [small, large],
  ],
  [
    "what often fails to answer goes behind",
    [small, large],
    [stats(small, { ...tried(8, 2), errors: 8 })],
    "medium",
    "normal",
    [large, small],
  ],
  [
    "what is known of other complexities does not count",
    [small, large],
    [stats(small, { ...tried(0, 20), complexity: "low" })],
    "medium",
    "normal",
    [small, large],
  ],
] as const)("%s", (_, candidates, known, complexity, urgency, order) => {
  const ranked = rankModels(candidates, known, { complexity, urgency });
  expect(ranked.map(({ choice }) => choice)).toEqual(order);
});
