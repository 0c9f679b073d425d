import type { CloudConfig } from "../../config.ts";
import { runProcess } from "../../effects/exec-process.ts";
import { messageOf, UserError } from "../../errors.ts";
import type { CliAdapter } from "./cli-adapter.ts";
import { cliEnvironment } from "./cli-environment.ts";
import { personWords } from "./person-words.ts";
import { newFolder, notInstalled } from "./run-cli.ts";
import type { ProviderCheck } from "./types.ts";

const timeoutMs = 20_000;

type Deps = Readonly<{ config: CloudConfig; env: NodeJS.ProcessEnv }>;

/** Whether a host's program is enabled, there and, as far as it tells, logged in. No model is asked. */
export async function checkCli(adapter: CliAdapter, deps: Deps): Promise<ProviderCheck> {
  const { name, title, login, loginStatus, key } = adapter;
  if (!deps.config.enabled)
    return bad(null, `${title} is not enabled`, `agents.cloud.${name}.enabled: true in config.yaml`);
  try {
    const { code, stdout, stderr } = await ask(deps, ["--version"]);
    const version = /\d+\.\d+\.\d+\S*/.exec(stdout)?.[0] ?? null;
    if (code !== 0) return bad(version, `${title} does not start: ${personWords(stderr)}`, adapter.install);
    const status =
      loginStatus === null || Object.hasOwn(deps.config.env, key) ? undefined : await ask(deps, loginStatus);
    if (status !== undefined && status.code !== 0)
      return bad(version, `${title} ${version} is not logged in`, `as the user that the daemon runs as: ${login}`);
    return { ok: true, version, problem: null, next: null };
  } catch (error) {
    if (!(error instanceof UserError))
      return bad(null, `${title} does not answer: ${messageOf(error)}`, `try: ${deps.config.command} --version`);
    const { message, next = null } = notInstalled(adapter, deps.config.command, error);
    return bad(null, message, next);
  }
}

async function ask({ config, env }: Deps, args: readonly string[]) {
  await using folder = await newFolder();
  const { code, stdout, stderr } = await runProcess({
    command: config.command,
    args,
    cwd: folder.path,
    env: cliEnvironment(env, config.env),
    stdin: Buffer.alloc(0),
    maxBytes: 1_000_000,
    onTooMuch: "end",
    signal: AbortSignal.timeout(timeoutMs),
    onOutput: () => {},
  });
  return { code, stdout: stdout.toString(), stderr: stderr.toString() };
}

function bad(version: string | null, problem: string, next: string | null): ProviderCheck {
  return { ok: false, version, problem, next };
}
