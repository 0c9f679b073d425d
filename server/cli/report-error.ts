import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { DaemonFault, UserError } from "../errors.ts";
import { asMachineTrouble } from "../machine-trouble.ts";
import { type CliContext, say } from "./context.ts";
import { painter } from "./paint.ts";
import { personNext } from "./person-next.ts";

/** Tells a command's error on standard error and returns the exit code: 1, 130 for what the person stopped, 70 for a bug. */
export function reportError(context: CliContext, thrown: unknown): number {
  const error = asMachineTrouble(thrown) ?? thrown;
  const paint = painter({ colour: context.colour });
  if (error instanceof UserError) {
    if (error.code === "aborted") {
      say(context, error.message);
      return 130;
    }
    say(context, `${paint("red", "error:")} ${error.message}`);
    if (error.next !== undefined) say(context, `next: ${personNext(context.home, error.next)}`);
    return 1;
  }
  if (context.signal.aborted && error instanceof Error && error.name === "AbortError") return 130;
  if (error instanceof DaemonFault) {
    say(context, `${paint("red", "error:")} ${error.message} (id ${error.id})`);
    say(context, `next: look for "${error.id}" in ${join(error.log, "daemon.log")}`);
    return 70;
  }
  const id = randomUUID().slice(0, 8);
  say(
    context,
    `${paint("red", "error:")} this is a bug in JobRunner (id ${id}): ${error instanceof Error ? error.message : String(error)}`,
  );
  say(context, `next: ${keep(context, id, error)}`);
  return 70;
}

/** The details go to a file, so that they can be sent along with a report. */
function keep({ home }: CliContext, id: string, error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  try {
    const file = join(home.logs, "cli-errors.log");
    appendFileSync(file, `${new Date().toISOString()} ${id} ${stack}\n`, { mode: 0o600 });
    return `report it with what stands under ${id} in ${file}`;
  } catch {
    return `report it with this:\n${stack}`;
  }
}
