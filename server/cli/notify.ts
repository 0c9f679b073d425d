import { randomUUID } from "node:crypto";
import { Command, Option } from "commander";
import { z } from "zod";
import { loadConfig } from "../config.ts";
import { createNotifier } from "../notify/create-notifier.ts";
import { type CliContext, print } from "./context.ts";

const urgencies = ["low", "normal", "high"] as const;
const givenOptions = z.object({ title: z.string(), urgency: z.enum(urgencies) });

/** `jr notify desktop "it works"`: sends a message itself, by the settings as they are now. Needs no daemon. */
export function command(context: CliContext): Command {
  return new Command("notify")
    .description("send a message over a target of config.yaml, such as to try it")
    .argument("<target>", 'its name in notify.targets, or "default"')
    .argument("<text...>", "the message")
    .option("--title <title>", "its title", "JobRunner")
    .addOption(new Option("--urgency <urgency>", "how loud").choices([...urgencies]).default("normal"))
    .action(async (target: string, words: string[], given: unknown) => {
      const { title, urgency } = givenOptions.parse(given);
      const notify = createNotifier(loadConfig(context.home, context.env).notify);
      const message = { target, title, text: words.join(" "), urgency };
      await notify(message, { idempotencyKey: randomUUID(), signal: context.signal });
      print(context, `Sent to ${target}.`);
    });
}
