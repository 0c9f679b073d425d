import { UserError } from "../../errors.ts";

/** What an answer has used up, whether it was of use or not. */
export type Spent = Readonly<{ tokens: Readonly<{ prompt: number; output: number }>; costMicroUsd: number }>;

export const nothingSpent: Spent = { tokens: { prompt: 0, output: 0 }, costMicroUsd: 0 };

export function addSpent(a: Spent, b: Spent): Spent {
  return {
    tokens: { prompt: a.tokens.prompt + b.tokens.prompt, output: a.tokens.output + b.tokens.output },
    costMicroUsd: a.costMicroUsd + b.costMicroUsd,
  };
}

type FailedCode = "model_failed" | "model_unavailable" | "budget_exceeded";

/** An answer that is of no use, though it was paid for: a budget has to count it. */
export class FailedAnswer extends UserError {
  declare readonly code: FailedCode;
  readonly spent: Spent;

  constructor(code: FailedCode, message: string, { next, spent }: { next: string | undefined; spent: Spent }) {
    super(code, message, next === undefined ? {} : { next });
    this.spent = spent;
  }

  /** The same failure with what was used up before it. */
  after(before: Spent): FailedAnswer {
    return new FailedAnswer(this.code, this.message, { next: this.next, spent: addSpent(before, this.spent) });
  }
}
