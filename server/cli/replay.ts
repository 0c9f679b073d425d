import { Command } from "commander";
import { UserError } from "../errors.ts";
import { personCommand } from "../person-command.ts";
import { type ReplayResult, replayResultSchema } from "../rehearsal/replay-run.ts";
import { visibleLine } from "../review/visible-text.ts";
import { parseRunId } from "../runs/run-id.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { jsonText } from "./show-list.ts";

type Options = { attempt?: string; json?: boolean };

/** `jr replay R12`: does a run again from its journal, and tells whether it does the same. */
export function command(context: CliContext): Command {
  return new Command("replay")
    .description("do a run again from its journal, offline; the exit code tells whether it did the same")
    .argument("<run>", "such as R12")
    .option("--attempt <n>", "the latest where none is given")
    .option("--json", "print JSON")
    .action((run: string, options: Options) => replay(context, parseRunId(run), options));
}

async function replay(context: CliContext, id: number, { attempt, json }: Options): Promise<void> {
  const client = await connectDaemon(context);
  const query = attempt === undefined ? "" : `?${new URLSearchParams({ attempt })}`;
  const result = await client.get(`/api/runs/${id}/replay${query}`, replayResultSchema);
  print(context, json ? jsonText(result) : replayText(result));
  if (result.verdict === "differs") {
    throw new UserError("run_failed", `${result.run} was not reproduced.`, {
      next: personCommand(context.home, "show", result.run, "--effects"),
    });
  }
}

function replayText({ run, attempt, state, verdict, difference, effects, logLines }: ReplayResult): string {
  const what = `${run}, attempt ${attempt} (${state}): ${effects} effects from its journal, ${logLines} lines of log.`;
  switch (verdict) {
    case "identical":
      return `Identical. ${what}`;
    case "identical_so_far":
      return `Identical up to where it was cut off. ${what}`;
    case "differs":
      return `Differs. ${what}\nfirst difference: ${visibleLine(difference ?? "none")}`;
    default:
      return verdict satisfies never;
  }
}
