import { createInterface } from "node:readline/promises";
import { UserError } from "../errors.ts";
import type { Review } from "../review/review.ts";
import { type CliContext, print } from "./context.ts";
import { reviewTerminal } from "./review-terminal.ts";
import type { Terminal } from "./review-words.ts";

/** Prints a review, page by page where a person sits at a terminal. */
export function showReview(context: CliContext, review: Review, options: { paged: boolean }): Promise<void> {
  return showPaged(context, (terminal) => reviewTerminal(review, terminal), options);
}

/** Prints a text that fits the terminal, page by page where a person sits there. */
export async function showPaged(
  context: CliContext,
  textFor: (terminal: Terminal) => string,
  { paged }: { paged: boolean },
): Promise<void> {
  const { columns, rows } = sizeOf(context);
  const text = textFor({ colour: context.colour, width: columns });
  if (!paged || !context.interactive || rows === undefined) return print(context, text);
  const lines = text.split("\n");
  const page = Math.max(5, rows - 2);
  for (let at = 0; at < lines.length; at += page) {
    print(context, lines.slice(at, at + page).join("\n"));
    const left = lines.length - at - page;
    if (left > 0) await waitForEnter(context, `-- ${left} more lines, Enter goes on --`);
  }
}

async function waitForEnter({ stdin, stderr, signal }: CliContext, message: string): Promise<void> {
  const prompt = createInterface({ input: stdin, output: stderr });
  const ctrlC = new AbortController();
  prompt.once("SIGINT", () => ctrlC.abort());
  prompt.once("close", () => ctrlC.abort());
  try {
    await prompt.question(message, { signal: AbortSignal.any([signal, ctrlC.signal]) });
  } catch (cause) {
    throw new UserError("aborted", "Stopped; nothing was changed.", { cause });
  } finally {
    prompt.close();
  }
}

/** Rows and columns of the terminal that standard output is, 100 columns where it is none. */
function sizeOf({ stdout }: CliContext): { columns: number; rows: number | undefined } {
  const columns = "columns" in stdout && typeof stdout.columns === "number" ? stdout.columns : 100;
  const rows = "rows" in stdout && typeof stdout.rows === "number" ? stdout.rows : undefined;
  return { columns, rows };
}
