import { Command } from "commander";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { formatTime } from "../format-time.ts";
import { personCommand } from "../person-command.ts";
import { connectDaemon } from "./client.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText, ownTimezone } from "./show-list.ts";

type Options = { rotate?: boolean; remove?: boolean; json?: boolean };

/** `jr webhook NAME`: the secret address that starts a job. */
export function command(context: CliContext): Command {
  return new Command("webhook")
    .description("make the secret address that starts a job; it is shown once")
    .argument("<name>", "the job, whose approved version has triggers: { webhook: true }")
    .option("--rotate", "make a new address; the old one starts nothing from now on")
    .option("--remove", "take the address away")
    .option("--json", "print JSON")
    .action((name: string, options: Options) => webhook(context, name, options));
}

const time = z.coerce.date();
const shownAnswer = z.object({ webhook: z.object({ created_at: time, used_at: time.nullable() }).nullable() });
const madeAnswer = z.object({ token: z.string() });

async function webhook(context: CliContext, name: string, { rotate, remove, json }: Options): Promise<void> {
  if (rotate && remove) throw new UserError("invalid_argument", "Give either --rotate or --remove, not both.");
  const client = await connectDaemon(context);
  const path = `/api/jobs/${encodeURIComponent(name)}/webhook`;
  if (remove) {
    const { removed } = await client.post(`${path}/remove`, {}, z.object({ removed: z.boolean() }));
    if (json) return print(context, jsonText({ removed }));
    return say(context, removed ? `The address of ${name} starts nothing any more.` : `${name} had no address.`);
  }
  const { webhook: known } = await client.get(path, shownAnswer);
  if (known !== null && !rotate) {
    if (json) return print(context, jsonText(known));
    const used = known.used_at === null ? "never used" : `last used ${formatTime(known.used_at, ownTimezone())}`;
    print(context, `${name} has an address, made ${formatTime(known.created_at, ownTimezone())}, ${used}.`);
    return say(
      context,
      `It was shown once. For a new one, with which the old one ends: ${personCommand(context.home, "webhook", name, "--rotate")}`,
    );
  }
  const { token } = await client.post(path, { rotate: rotate === true }, madeAnswer);
  const url = new URL(`/hooks/${encodeURIComponent(name)}/${token}`, client.url).href;
  if (json) return print(context, jsonText({ url }));
  print(context, url);
  say(
    context,
    `POST to it starts ${name}. Whoever knows it can do that, and it is not shown again: keep it as a password.`,
  );
}
