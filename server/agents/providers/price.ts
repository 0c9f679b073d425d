import type { CloudConfig } from "../../config.ts";
import type { CliSpent } from "./cli-adapter.ts";
import type { Spent } from "./failed-answer.ts";

type Prices = CloudConfig["usdPerMillion"];

/** What an answer cost: as the program says, else by the prices of the settings, else nothing, since nobody knows. */
export function priced({ tokens, costMicroUsd }: CliSpent, prices: Prices): Spent {
  return { tokens, costMicroUsd: costMicroUsd ?? costOf(tokens, prices) };
}

/** A dollar for a million tokens is a millionth of a dollar for one. */
function costOf(tokens: Spent["tokens"], prices: Prices): number {
  if (prices === null) return 0;
  return Math.ceil(tokens.prompt * prices.input + tokens.output * prices.output);
}

/** Least that a prompt costs, in dollars, at four characters a token. */
export function promptUsd(prompt: string, prices: Prices): number {
  return costOf({ prompt: prompt.length / 4, output: 0 }, prices) / 1_000_000;
}
