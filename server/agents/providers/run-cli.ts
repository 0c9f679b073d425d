import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { CloudConfig } from "../../config.ts";
import { formatDuration } from "../../duration.ts";
import { runProcess } from "../../effects/exec-process.ts";
import { UserError } from "../../errors.ts";
import type { CliAdapter, CliOrder, CliReply } from "./cli-adapter.ts";
import { cliEnvironment } from "./cli-environment.ts";

/** Most that a program may put out. */
const outputBytes = 8 * 1024 * 1024;

type Run = Readonly<{
  adapter: CliAdapter;
  config: CloudConfig;
  env: NodeJS.ProcessEnv;
  prompt: string;
  order: Omit<CliOrder, "folder" | "hasKey">;
  signal: AbortSignal;
}>;

/**
 * Runs a host's program once, in a new folder of its own and a process group that is gone afterwards. The prompt comes on
 * standard input, where nobody else of this machine sees it. Throws `provider_missing`, `model_unavailable`, `model_failed`,
 * and the signal's reason.
 */
export async function runCli({ adapter, config, env, prompt, order, signal }: Run): Promise<CliReply> {
  const time = AbortSignal.timeout(config.timeoutMs);
  try {
    await using place = await newFolder();
    const folder = place.path;
    const { args, env: own, files } = adapter.start({ ...order, hasKey: adapter.key in config.env, folder });
    await writeFiles(folder, files);
    const { code, stdout, stderr } = await runProcess({
      command: config.command,
      args,
      cwd: folder,
      // Gemini CLI leaves reports of errors in the temporary folder, with the conversation in them.
      env: cliEnvironment(env, { TMPDIR: folder }, own, config.env),
      stdin: Buffer.from(prompt),
      maxBytes: outputBytes,
      onTooMuch: "end",
      signal: AbortSignal.any([signal, time]),
      onOutput: () => {},
    });
    return adapter.read({ code, stdout: stdout.toString(), stderr: stderr.toString() }, order);
  } catch (error) {
    signal.throwIfAborted();
    if (time.aborted) throw tooSlow(adapter, config);
    throw runProblem(adapter, config, error);
  }
}

/** A folder that only this user can look into, so that a program finds no settings of others there. */
export async function newFolder(): Promise<AsyncDisposable & Readonly<{ path: string }>> {
  const path = await mkdtemp(join(tmpdir(), "jobrunner-model-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: 0o600 });
  }
}

function tooSlow({ name, title }: CliAdapter, { timeoutMs }: CloudConfig): UserError {
  return new UserError(
    "model_unavailable",
    `${title} gave no answer within ${formatDuration(timeoutMs)} and was ended.`,
    {
      next: `try again later, or raise agents.cloud.${name}.timeout in config.yaml`,
    },
  );
}

function runProblem(adapter: CliAdapter, { command }: CloudConfig, error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  if (error.code === "exec_failed") return notInstalled(adapter, command, error);
  if (error.code !== "limit_exceeded") return error;
  return new UserError("model_failed", `${adapter.title} put out more than ${outputBytes} bytes and was ended.`, {
    next: "ask for a shorter answer",
    cause: error,
  });
}

/** A program that could not be started, with how to get it. */
export function notInstalled({ name, title, install }: CliAdapter, command: string, cause: unknown): UserError {
  return new UserError("provider_missing", `${title} could not be started: there is no program ${command}.`, {
    next: `${install}; or set agents.cloud.${name}.command in config.yaml to its path`,
    cause,
  });
}
