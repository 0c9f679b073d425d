import type { ModelChoice } from "../../config.ts";
import type { Row } from "../../store/tables.ts";
import type { ModelStats } from "./model-stats.ts";

/** How a model is expected to do at one piece of work. */
export type RankedModel = Readonly<{
  choice: ModelChoice;
  /** Dollars: what it is expected to be worth. The highest is asked first. */
  score: number;
  /** Expected share of accepted answers. */
  acceptance: number;
  /** Answers that were judged or failed, and that this rests on. */
  tries: number;
  /** Expected cost and time of one try. */
  usd: number;
  seconds: number;
}>;

type Need = Readonly<{ urgency: Row<"agents">["urgency"]; complexity: Row<"agents">["complexity"] }>;

/** What a right answer is worth, in dollars, by complexity; and what a second of waiting costs, by urgency. */
const worth = { low: 0.02, medium: 0.1, high: 0.5 } as const;
const hurry = { low: 0, normal: 0.000_05, high: 0.000_5, now: 0.002 } as const;

/** What is assumed of a model that was not tried yet; it counts as two tries. */
const assumed = {
  local: { acceptance: { low: 0.8, medium: 0.65, high: 0.45 }, usd: 0, seconds: 30 },
  cloud: { acceptance: { low: 0.95, medium: 0.9, high: 0.85 }, usd: 0.05, seconds: 45 },
} as const;
const assumedTries = 2;
/** A model that was not asked for so many days is known half as well: it may be another one by now, and gets another chance. */
const halfLifeDays = 30;

/**
 * The models in the order in which a piece of work should try them, best first; equal ones as they were given.
 * score = acceptance × worth − cost − seconds × hurry, where acceptance is (accepted + 2 × assumed) / (tries + 2) of this role and
 * complexity, times the share of calls in which the model did not fail. What is known fades while a model is not asked.
 */
export function rankModels(
  candidates: readonly ModelChoice[],
  stats: readonly ModelStats[],
  need: Need,
): RankedModel[] {
  return candidates
    .map((choice, index) => ({ ranked: rank(choice, stats, need), index }))
    .sort((a, b) => b.ranked.score - a.ranked.score || a.index - b.index)
    .map(({ ranked }) => ranked);
}

type Counter = "accepted" | "errors" | "calls" | "cost_microusd" | "busy_ms";

function rank(choice: ModelChoice, stats: readonly ModelStats[], { urgency, complexity }: Need): RankedModel {
  const prior = choice.provider === "ollama" ? assumed.local : assumed.cloud;
  const known = stats.find(
    (row) => row.provider === choice.provider && row.model === (choice.model ?? "") && row.complexity === complexity,
  );
  const weight = 0.5 ** ((known?.idle_days ?? 0) / halfLifeDays);
  const counted = (counter: Counter) => (known?.[counter] ?? 0) * weight;
  const tries = known === undefined ? 0 : known.accepted + known.refused + known.failed;
  const all = tries * weight + assumedTries;
  const reliable = 1 - counted("errors") / (counted("calls") + assumedTries);
  const acceptance = ((counted("accepted") + assumedTries * prior.acceptance[complexity]) / all) * reliable;
  const usd = (counted("cost_microusd") / 1e6 + assumedTries * prior.usd) / all;
  const seconds = (counted("busy_ms") / 1_000 + assumedTries * prior.seconds) / all;
  const score = acceptance * worth[complexity] - usd - seconds * hurry[urgency];
  return { choice, score, acceptance, tries, usd, seconds };
}
