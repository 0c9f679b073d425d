import { stat } from "node:fs/promises";
import { homedir } from "node:os";
import { fitsPatterns } from "../effects/exec-pattern.ts";
import { runProcess } from "../effects/exec-process.ts";
import { createMask } from "../effects/mask-secrets.ts";
import { grantedSecrets } from "../effects/placeholders.ts";
import { requireProgram } from "../effects/require-program.ts";
import type { SecretValues } from "../effects/secret-values.ts";
import { UserError } from "../errors.ts";
import type { CommandManifest } from "./command-manifest.ts";
import { type DefinitionsDeps, requireDefinition } from "./read-definitions.ts";

export type CommandOrder = Readonly<{
  /** Of the command; the person signed what it may start. */
  name: string;
  /** None stands for the signed ones, where these leave nothing open. */
  args: readonly string[];
  /** Absolute: the agent's or plan's own folder, for a command that names none. */
  cwd: string;
  /** What it reads on standard input; nothing where it is left out. */
  stdin?: string | undefined;
  signal: AbortSignal;
  /** Called with each piece of output as it comes, secrets masked line by line. */
  onOutput?: ((text: string, stream: "stdout" | "stderr") => void) | undefined;
}>;

export type CommandEnd = Readonly<{
  /** Null where a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
  timedOut: boolean;
  /** Whether it put out more than it may; what came first is there. */
  truncated: boolean;
}>;

type Deps = DefinitionsDeps &
  Readonly<{
    secrets: () => SecretValues;
    /** The environment of which a command may be passed variables by name. */
    env?: NodeJS.ProcessEnv;
  }>;

/**
 * A command that the person signed, with the arguments that it gets for those that are given. Throws what `requireDefinition` throws,
 * and `permission_denied` where they do not fit.
 */
export async function requireCommand(
  deps: DefinitionsDeps,
  name: string,
  given: readonly string[],
): Promise<Readonly<{ manifest: CommandManifest; args: readonly string[] }>> {
  const { manifest } = await requireDefinition(deps, "command", name);
  return { manifest, args: fittingArgs(name, manifest, given) };
}

/**
 * Runs a command that the person signed: its absolute program, without a shell, with arguments that fit its patterns, in a process
 * group that is gone when this settles. Throws what `requireCommand` throws, `secret_not_found`, `exec_failed`, and the signal's reason;
 * a time that is up and a code other than 0 are answers.
 * @public
 */
export async function runSignedCommand(deps: Deps, order: CommandOrder): Promise<CommandEnd> {
  const { name, signal, onOutput } = order;
  const { manifest, args } = await requireCommand(deps, name, order.args);
  await requireProgram(manifest.program);
  const cwd = await requireFolder(manifest.cwd ?? order.cwd);
  const secrets = deps.secrets();
  const mask = createMask(grantedSecrets(name, manifest.secrets, secrets));
  const lines = {
    stdout: maskedLines(mask.text, onOutput, "stdout"),
    stderr: maskedLines(mask.text, onOutput, "stderr"),
  };
  const timeout = AbortSignal.timeout(manifest.timeoutMs);
  const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const ended = await runProcess({
    command: manifest.program,
    args,
    cwd,
    env: environment(manifest, secrets, deps.env ?? process.env),
    stdin: Buffer.from(order.stdin ?? ""),
    maxBytes: manifest.outputBytes,
    onTooMuch: "drop",
    signal: AbortSignal.any([signal, timeout]),
    onOutput(piece, stream) {
      kept[stream].push(piece);
      lines[stream].add(piece);
    },
  }).catch((thrown: unknown) => {
    if (signal.aborted || !timeout.aborted) throw thrown;
    return undefined;
  });
  for (const each of Object.values(lines)) each.end();
  const text = (pieces: readonly Buffer[]) => mask.bytes(Buffer.concat(pieces)).toString("utf8");
  return {
    code: ended?.code ?? null,
    stdout: text(kept.stdout),
    stderr: text(kept.stderr),
    timedOut: ended === undefined,
    truncated: ended?.truncated ?? false,
  };
}

function fittingArgs(name: string, { args: patterns }: CommandManifest, args: readonly string[]): readonly string[] {
  const given = args.length === 0 ? (fixedArgs(patterns) ?? args) : args;
  if (!given.some((arg) => arg.includes("\0")) && fitsPatterns(given, patterns)) return given;
  const words = (list: readonly string[]) => (list.length === 0 ? "none" : list.join(" ").slice(0, 300));
  throw new UserError(
    "permission_denied",
    `The command "${name}" takes other arguments than these: ${words(args)}. Signed: ${words(patterns)}.`,
    {
      next: 'give one argument for each pattern; "*" stands for any characters, a last "**" for any further arguments',
    },
  );
}

/** What patterns without a star say in full. */
function fixedArgs(patterns: readonly string[]): readonly string[] | undefined {
  const fixed = patterns.at(-1) === "**" ? patterns.slice(0, -1) : patterns;
  return fixed.some((pattern) => pattern.includes("*")) ? undefined : fixed;
}

async function requireFolder(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new UserError("exec_failed", `There is no folder ${folder} to start in.`);
  return folder;
}

function environment(
  { env: names, secrets: secretNames }: CommandManifest,
  secrets: SecretValues,
  env: NodeJS.ProcessEnv,
): Record<string, string> {
  const passed = names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]] as const]));
  const values = secretNames.map((name) => {
    const value = secrets.get(name);
    if (value !== undefined) return [name, value] as const;
    throw new UserError("secret_not_found", `No value is set for the secret ${name}.`, {
      next: `jr secrets set ${name}`,
    });
  });
  const base = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: homedir(), LANG: "C.UTF-8" };
  return { ...base, ...Object.fromEntries(passed), ...Object.fromEntries(values) };
}

/** Hands output on in whole lines, since a piece may end in the middle of a secret. */
function maskedLines(
  mask: (text: string) => string,
  onOutput: CommandOrder["onOutput"],
  stream: "stdout" | "stderr",
): { add(piece: Buffer): void; end(): void } {
  const longest = 64 * 1024;
  let rest = Buffer.alloc(0);
  const tell = (bytes: Buffer) => {
    if (bytes.length > 0) onOutput?.(mask(bytes.toString("utf8")), stream);
  };
  return {
    add(piece) {
      rest = Buffer.concat([rest, piece]);
      const end = rest.length > longest ? rest.length : rest.lastIndexOf("\n") + 1;
      tell(rest.subarray(0, end));
      rest = rest.subarray(end);
    },
    end() {
      tell(rest);
      rest = Buffer.alloc(0);
    },
  };
}
