import type { CloudName } from "../../config-schema.ts";
import type { Spent } from "./failed-answer.ts";

/** One question for a program: everything that goes to it. */
export type CliOrder = Readonly<{
  /** Of the model; null leaves it to the program. */
  model: string | null;
  system: string;
  maxOutputTokens: number | null;
  temperature: number | null;
  seed: number | null;
  maxUsd: number | null;
  /** Whether its settings hold a key, which then counts instead of a login. */
  hasKey: boolean;
  /** The folder that the program runs in: new, ours, empty but for the files. */
  folder: string;
}>;

/** How a program is started for it. The prompt itself comes on standard input. */
export type CliStart = Readonly<{
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Put into the folder first, by path. */
  files: Readonly<Record<string, string>>;
}>;

/** Why a program gave no answer. */
export type CliTrouble = "login" | "busy" | "model" | "budget" | "cut" | "failed";

export type CliReply =
  | Readonly<{ ok: true; text: string; spent: CliSpent; cut: boolean }>
  | Readonly<{ ok: false; trouble: CliTrouble; message: string; spent: CliSpent }>;

/** Null where the program does not tell what it cost. */
export type CliSpent = Readonly<{ tokens: Spent["tokens"]; costMicroUsd: number | null }>;

export type CliEnd = Readonly<{ code: number | null; stdout: string; stderr: string }>;

/** What is particular about one host's program. */
export type CliAdapter = Readonly<{
  name: CloudName;
  /** As people call it. */
  title: string;
  /** Commands that install it and log in to it. */
  install: string;
  login: string;
  /** The variable that holds a key, for those who do not log in. */
  key: string;
  /** Arguments that say whether somebody is logged in, by their exit code; null where there are none. */
  loginStatus: readonly string[] | null;
  start(order: CliOrder): CliStart;
  read(end: CliEnd, order: Pick<CliOrder, "maxOutputTokens">): CliReply;
}>;

/** The kind of a failure by its HTTP status, or by its words, for programs and services that tell nothing better. */
export function troubleOf(message: string, status: number | null = statusIn(message)): CliTrouble {
  const says = (pattern: RegExp) => pattern.test(message);
  if (status === 401 || status === 403) return "login";
  if (status === 429 || status === 503 || status === 529) return "busy";
  if (says(/rate.?limit|quota|exhausted|overloaded|high demand|usage limit|at capacity/i)) return "busy";
  if (says(/\blog ?in\b|logged in|authenticat|api[ _]key|credential|auth method/i)) return "login";
  if (status === 404 || says(/model.{0,40}(not found|does not exist|not supported|may not exist)|ModelNotFound/i))
    return "model";
  if (says(/output token maximum|max_output_tokens/i)) return "cut";
  return "failed";
}

/** As in "unexpected status 401" or "429 Too Many Requests". */
function statusIn(message: string): number | null {
  const status =
    /\b(?:status:?|code"?:) ?(\d{3})\b/i.exec(message)?.[1] ?? /\b(401|403|404|429|503|529)\b/.exec(message)?.[1];
  return status === undefined ? null : Number(status);
}

export const noTokens: CliSpent = { tokens: { prompt: 0, output: 0 }, costMicroUsd: null };
