import { homedir } from "node:os";
import { relative, sep } from "node:path";
import type { Home } from "./home.ts";

/**
 * The command line that a person pastes into any terminal, in any folder: the launcher's path (with `~/` where it lies
 * below the user's home folder) and the arguments, each quoted for the shell where it needs it.
 */
export function personCommand(home: Home, ...args: string[]): string {
  return [launcherWord(home.launcher), ...args.map(shellQuote)].join(" ");
}

/** One word for a POSIX shell (double quotes on Windows). */
export function shellQuote(word: string): string {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word)) return word;
  return process.platform === "win32" ? `"${word.replaceAll('"', '\\"')}"` : `'${word.replaceAll("'", `'\\''`)}'`;
}

function launcherWord(launcher: string): string {
  const below = relative(homedir(), launcher);
  const isBelow = below !== "" && !below.startsWith("..") && !below.startsWith(sep) && process.platform !== "win32";
  // The tilde must stay outside the quotes, or the shell would not expand it.
  return isBelow ? `~/${shellQuote(below)}` : shellQuote(launcher);
}
