import { UserError } from "../errors.ts";
import { readPrivateFile, replaceFile } from "../private-file.ts";

/** Values of secrets by name, as they stood in the file when it was read. */
export type SecretValues = Readonly<{ get(name: string): string | undefined; names(): string[] }>;

/** A shorter value would be found in, and masked out of, innocent text. */
const shortestValue = 6;
const longestValue = 65_536;
const namePattern = /^[A-Z][A-Z0-9_]{0,63}$/;
const linePattern = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/;
const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/**
 * Reads `NAME=value` lines; a missing file holds none, and an empty value counts as not set.
 * Throws `invalid_config` with the line's number (never its text), `key_unsafe` where others may read the file.
 */
export function readSecrets(envFile: string): SecretValues {
  const values = new Map<string, string>();
  linesOf(envFile).forEach((line, index) => {
    const entry = parseLine(line, `${envFile}, line ${index + 1}`);
    if (entry !== undefined && entry.value !== "") values.set(entry.name, entry.value);
  });
  return { get: (name) => values.get(name), names: () => [...values.keys()].sort() };
}

/** Adds or replaces one value, keeping every other line as it is. Throws `invalid_argument`, `disk_full`. */
export function setSecret(envFile: string, name: string, value: string): void {
  requireSecretName(name);
  const problem = valueProblem(value);
  if (problem !== undefined) throw new UserError("invalid_argument", `${name} was not set: ${problem}.`);
  writeLines(envFile, [...linesWithout(envFile, name), `${name}=${quote(value)}`]);
}

/** Removes a value. Throws `secret_not_found` where none is set. */
export function removeSecret(envFile: string, name: string): void {
  requireSecretName(name);
  const lines = linesOf(envFile);
  const kept = linesWithout(envFile, name);
  if (kept.length === lines.length) {
    throw new UserError("secret_not_found", `No value is set for ${name}.`, { next: "jr secrets list" });
  }
  writeLines(envFile, kept);
}

/** Throws `invalid_argument` where the text is no name of a secret. */
export function requireSecretName(name: string): void {
  if (namePattern.test(name)) return;
  throw new UserError(
    "invalid_argument",
    `"${name.slice(0, 80)}" is no name for a secret: capital letters, digits and _, a letter first, at most 64, such as CHAT_WEBHOOK.`,
  );
}

/** Why a value cannot be a secret, without repeating it; undefined where it can. */
export function valueProblem(value: string): string | undefined {
  if (value.length < shortestValue) {
    return `a value has at least ${shortestValue} characters, since a shorter one would be masked out of text that only looks like it`;
  }
  if (value.length > longestValue) return `a value has at most ${longestValue} characters`;
  if (value.includes("\0") || !value.isWellFormed()) return "the value is not text";
  return undefined;
}

function linesOf(envFile: string): string[] {
  const text = readPrivateFile(envFile) ?? "";
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function linesWithout(envFile: string, name: string): string[] {
  return linesOf(envFile).filter((line) => line.trim().startsWith("#") || linePattern.exec(line)?.[1] !== name);
}

function writeLines(envFile: string, lines: string[]): void {
  replaceFile(envFile, lines.map((line) => `${line}\n`).join(""));
}

function parseLine(line: string, where: string): { name: string; value: string } | undefined {
  if (/^\s*(#|$)/.test(line)) return undefined;
  const [, name, written = ""] = linePattern.exec(line) ?? [];
  if (name === undefined) throw new UserError("invalid_config", `${where}: this is no NAME=value line.`);
  const first = written[0];
  if (first !== '"' && first !== "'") return { name, value: written.replace(/\s+#.*$/, "") };
  const quoted = first === '"' ? /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/ : /^'([^']*)'\s*(?:#.*)?$/;
  const [, inner] = quoted.exec(written) ?? [];
  if (inner === undefined) {
    throw new UserError("invalid_config", `${where}: the quotes of ${name} do not close on the line.`, {
      next: `jr secrets set ${name}`,
    });
  }
  return { name, value: first === "'" ? inner : inner.replace(/\\(.)/g, (_, letter) => escapes[letter] ?? letter) };
}

function quote(value: string): string {
  if (/^[\w.~:/?&=+@%,;!*()[\]{}|^-]+$/.test(value)) return value;
  const escaped = value
    .replace(/[\\"]/g, "\\$&")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `"${escaped}"`;
}
