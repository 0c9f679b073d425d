import { optionsOf, requireText } from "./arguments.ts";
import { decodeBase64, encodeBase64, toBytes } from "./bytes.ts";
import { effect } from "./effect.ts";
import { TextDecoder } from "./text.ts";

type Ended = { code: number | null; signal: string | null; stdout: string; stderr: string };

const textOf = (base64: string) => new TextDecoder().decode(decodeBase64(base64));

/** Starts a program that the manifest grants, without a shell, and waits for its end. */
export async function exec(
  command: string,
  args: readonly string[] = [],
  options?: { cwd?: string; stdin?: unknown },
): Promise<Ended> {
  if (!Array.isArray(args) || args.some((arg) => typeof arg !== "string"))
    throw new TypeError("exec: the arguments must be an array of texts");
  const { cwd = null, stdin } = optionsOf(options, "exec: options");
  const ended = await effect<Ended>("exec", {
    command: requireText(command, "exec: the command"),
    args: [...args],
    cwd,
    stdin: stdin === undefined ? null : encodeBase64(toBytes(stdin)),
  });
  return { ...ended, stdout: textOf(ended.stdout), stderr: textOf(ended.stderr) };
}
