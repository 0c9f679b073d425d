import { existsSync } from "node:fs";
import { Command } from "commander";
import { type Config, loadConfig } from "../config.ts";
import { type CliContext, print, say } from "./context.ts";
import { jsonText } from "./show-list.ts";

/** `jr config …`: where the settings are, and whether they are in order. Needs no daemon. */
export function command(context: CliContext): Command {
  const config = new Command("config").description("find and check the settings");
  config
    .command("path", { isDefault: true })
    .description("print where config.yaml is")
    .action(() => print(context, context.home.config));
  config
    .command("check")
    .description("check config.yaml and the environment, and print what they amount to")
    .action(() => check(context));
  return config;
}

function check(context: CliContext): void {
  const { home, databaseUrl, ollama, notify, ...rest } = loadConfig(context.home, context.env);
  print(
    context,
    jsonText({
      home: home.root,
      databaseUrl: databaseUrl === null ? null : hidePassword(databaseUrl),
      ...rest,
      ollama: { ...ollama, url: hidePassword(ollama.url) },
      notify: { ...notify, targets: kindsOf(notify.targets) },
    }),
  );
  say(
    context,
    existsSync(home.config) ? `${home.config} is in order.` : `${home.config} is not there: defaults count.`,
  );
}

/** Targets without their addresses, which let anybody send. */
function kindsOf(targets: Config["notify"]["targets"]): Record<string, string> {
  return Object.fromEntries(Object.entries(targets).map(([name, { kind }]) => [name, kind]));
}

/** A URL without what logs in. */
function hidePassword(text: string): string {
  if (!URL.canParse(text)) return "(set)";
  const url = new URL(text);
  if (url.password !== "") url.password = "***";
  // The driver takes a password from the query too.
  if (url.searchParams.has("password")) url.searchParams.set("password", "***");
  return url.href;
}
