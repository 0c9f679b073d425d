import { UserError } from "../../errors.ts";
import type { CliAdapter, CliReply } from "./cli-adapter.ts";
import { FailedAnswer, type Spent } from "./failed-answer.ts";
import { personWords } from "./person-words.ts";

type Failed = Extract<CliReply, { ok: false }>;

/** What a program failed with, as the caller is told it: what happened, and what to do next. */
export function cliFailure(
  { name, title, login, key }: CliAdapter,
  { trouble, message }: Failed,
  spent: Spent,
): UserError {
  const said = `${title}: ${personWords(message)}`;
  switch (trouble) {
    case "login":
      return new UserError("provider_missing", `${said} (not logged in)`, {
        next: `log in as the user that the daemon runs as: ${login}; or put ${key} into agents.cloud.${name}.env of config.yaml`,
      });
    case "busy":
      return new FailedAnswer("model_unavailable", said, { next: "wait, or take another provider", spent });
    case "model":
      return new UserError("model_missing", said, {
        next: `name another model in the role, or in agents.cloud.${name}.model of config.yaml`,
      });
    case "budget":
      return new FailedAnswer("budget_exceeded", said, { next: "allow more, or ask a cheaper model", spent });
    case "cut":
      return new FailedAnswer("model_failed", said, { next: "raise the limit of outputTokens", spent });
    case "failed":
      return new FailedAnswer("model_failed", said, { next: `try it by hand: ${name}`, spent });
    default:
      return trouble satisfies never;
  }
}
