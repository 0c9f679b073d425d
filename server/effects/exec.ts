import { mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { defineEffect, type EffectContext } from "./define-effect.ts";
import { requireExecGrant, startFolder } from "./exec-pattern.ts";
import { runProcess } from "./exec-process.ts";
import { createExecTail } from "./exec-tail.ts";
import { requireSendable } from "./files-bytes.ts";
import { createMask } from "./mask-secrets.ts";
import { asPathError } from "./path-error.ts";
import { pathArgument } from "./path-grant.ts";
import { grantedSecrets } from "./placeholders.ts";
import { requireProgram } from "./require-program.ts";

const argument = z.string().refine((text) => !text.includes("\0"), "an argument holds no NUL");

/** `exec`: a granted program, without a shell, until it and all that it started in its group have ended. */
export const execEffect = defineEffect({
  op: "exec",
  kind: "outside",
  args: z.strictObject({
    command: pathArgument,
    args: z.array(argument).max(10_000),
    cwd: pathArgument.nullable(),
    stdin: z.string().nullable(),
  }),
  safe: (args, manifest) => requireExecGrant(manifest, args).repeatable,
  allow: (manifest, args) => void requireExecGrant(manifest, args),
  async perform(context, args) {
    const { manifest, seed, secrets, signal } = context;
    const { command } = args;
    const grant = requireExecGrant(manifest, args);
    const stdin = requireSendable(manifest, args.stdin ?? "", `standard input of ${command}`);
    await requireProgram(command);
    const cwd = await requireStartFolder(context, startFolder(grant));
    const mask = createMask(grantedSecrets(seed, Object.keys(manifest.permissions.secrets), secrets));
    const tail = createExecTail(mask, context.progress);
    const env = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: homedir(), LANG: "C.UTF-8", ...grant.env };
    const maxBytes = manifest.limits.responseBytes;
    const order = { command, args: args.args, cwd, env, stdin, maxBytes, onTooMuch: "end", signal } as const;
    const ended = await runProcess({ ...order, onOutput: tail });
    return {
      code: ended.code,
      signal: ended.signal,
      stdout: mask.bytes(ended.stdout).toString("base64"),
      stderr: mask.bytes(ended.stderr).toString("base64"),
    };
  },
});

/** The granted folder, or the run's own, which is made where it is missing. */
async function requireStartFolder({ services, runId }: EffectContext, granted: string | null): Promise<string> {
  if (granted === null) {
    const own = services.runFolder(runId);
    await mkdir(own, { recursive: true, mode: 0o700 }).catch((thrown: unknown) => {
      throw asPathError(thrown, own);
    });
    return own;
  }
  const found = await stat(granted).catch(() => undefined);
  if (!found?.isDirectory()) throw new UserError("exec_failed", `There is no folder ${granted} to start in.`);
  return granted;
}
