import { readFileSync } from "node:fs";
import { Command, Option } from "commander";
import { messageOf, UserError } from "../errors.ts";
import type { Home } from "../home.ts";
import { personCommand } from "../person-command.ts";
import { metricsWindows } from "../runs/metrics/metrics-windows.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print } from "./context.ts";
import { metricsAnswer } from "./metrics-answer.ts";
import { metricsText } from "./metrics-text.ts";
import { jsonText } from "./show-list.ts";

type Options = { window: string; json?: boolean; token?: boolean };

/** `jr metrics`: how much, how fast and how late, over a window of time. */
export function command(context: CliContext): Command {
  return new Command("metrics")
    .description("show figures: queue, lateness, durations, outcomes, effects, tokens")
    .addOption(new Option("--window <time>", "of what ended within this time").choices(metricsWindows).default("24h"))
    .option("--json", "print JSON")
    .option("--token", "print the bearer token for Prometheus, which reads /metrics and nothing else")
    .action(async ({ window, json, token }: Options) => {
      if (token) return print(context, readMetricsToken(context.home));
      const client = await connectDaemon(context);
      const summary = await client.get(`/api/metrics?${new URLSearchParams({ window })}`, metricsAnswer);
      print(context, json ? jsonText(summary) : metricsText(context, summary));
    });
}

function readMetricsToken(home: Home): string {
  try {
    return readFileSync(home.metricsToken, "utf8").trim();
  } catch (cause) {
    throw new UserError("unauthorized", `Cannot read the token ${home.metricsToken}: ${messageOf(cause)}.`, {
      next: `${personCommand(home, "start")} makes it, on the daemon's machine`,
      cause,
    });
  }
}
