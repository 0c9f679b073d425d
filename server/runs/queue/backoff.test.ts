import { expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

const retry = { attempts: 3, backoff: "exponential", delayMs: 1_000, maxDelayMs: 60_000 } as const;

test.each([
  ["fixed", 1, 0, 1_000],
  ["fixed", 9, 0, 1_000],
  ["fixed", 9, 1, 800],
  ["exponential", 1, 0, 1_000],
  ["exponential", 4, 0, 8_000],
  ["exponential", 4, 0.5, 7_200],
  ["exponential", 99, 0, 60_000],
] as const)("%s backoff after %i tries with jitter %f is %i ms", (backoff, tries, random, expected) => {
  expect(backoffMs({ ...retry, backoff }, tries, () => random)).toBe(expected);
});
