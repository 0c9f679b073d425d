import type { Command } from "commander";

/** Which tasks `jr task list` and `jr task export` take. */
export type ListOptions = Readonly<{
  ready?: boolean;
  state?: string;
  label?: string;
  assignee?: string;
  plan?: string;
  parent?: string;
  search?: string;
  dueBefore?: string;
}>;

/** Adds the options of the choice to a command. */
export function addListOptions(command: Command): Command {
  return command
    .option("--ready", "only what can be begun now")
    .option("--state <state>", "live (default; with --search: all), ended, all, or one state")
    .option("--label <label>", "only with this label")
    .option("--assignee <name>", "only for them")
    .option("--plan <plan>", "only of this plan")
    .option("--parent <task>", "only sub-tasks of this one")
    .option("--search <words>", "in title, body and result")
    .option("--due-before <day>", "only what is due before");
}

/** The choice as the daemon's door takes it. */
export function listQuery({ ready, dueBefore, plan, ...rest }: ListOptions): Record<string, string> {
  const { state, label, assignee, parent, search } = rest;
  const given = { state, label, assignee, parent, search, plan: plan?.replace(/^[Pp]/, ""), due_before: dueBefore };
  const query: Record<string, string> = ready ? { ready: "true" } : {};
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query[name] = value;
  return query;
}
