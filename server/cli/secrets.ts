import { isCancel, password } from "@clack/prompts";
import { Command } from "commander";
import { readSecrets, removeSecret, requireSecretName, setSecret, valueProblem } from "../effects/secret-values.ts";
import { UserError } from "../errors.ts";
import { type CliContext, print, say } from "./context.ts";

/** More than any secret has; what is longer was piped in by mistake. */
const maxStdinCharacters = 200_000;

/** `jr secrets`: values that jobs use without seeing them. No command prints one. */
export function command(context: CliContext): Command {
  const secrets = new Command("secrets").description("values that jobs may use without seeing them");
  secrets
    .command("set <name>")
    .description("set a value at a hidden prompt, or from standard input when it is piped")
    .action((name: string) => set(context, name));
  secrets
    .command("list")
    .description("list the names that have a value")
    .action(() => list(context));
  secrets
    .command("remove <name>")
    .description("remove a value")
    .action((name: string) => {
      removeSecret(context.home.env, name);
      print(context, `${name} removed.`);
    });
  return secrets;
}

async function set(context: CliContext, name: string): Promise<void> {
  // Before the prompt, so that nobody types a value for nothing.
  requireSecretName(name);
  const replaces = readSecrets(context.home.env).get(name) !== undefined;
  const value = context.interactive ? await ask(context, name) : await readStdin(context);
  setSecret(context.home.env, name, value);
  print(
    context,
    `${name} ${replaces ? "replaced" : "set"} in ${context.home.env}. Runs that start from now on use it.`,
  );
}

function list(context: CliContext): void {
  const names = readSecrets(context.home.env).names();
  if (names.length === 0) say(context, "No secrets are set. To set one: jr secrets set NAME");
  else print(context, names.join("\n"));
}

async function ask(context: CliContext, name: string): Promise<string> {
  const { stdin: input, stderr: output, signal } = context;
  const answer = await password({
    message: `Value of ${name}`,
    input,
    output,
    signal,
    validate: (text: string | undefined) => valueProblem(text ?? ""),
  });
  if (isCancel(answer)) throw new UserError("aborted", "Stopped; nothing was changed.");
  return answer ?? "";
}

/** All of standard input but for the newline that ends it. */
async function readStdin({ stdin, signal }: CliContext): Promise<string> {
  const decoder = new TextDecoder("utf-8");
  let text = "";
  const stop = () => stdin.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of stdin) {
      text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
      if (text.length > maxStdinCharacters)
        throw new UserError("invalid_argument", "Standard input is too long for a secret.");
    }
  } catch (error) {
    throw signal.aborted ? new UserError("aborted", "Stopped; nothing was changed.") : error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
  return (text + decoder.decode()).replace(/\r?\n$/, "");
}
