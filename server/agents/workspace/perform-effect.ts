import type { z } from "zod";
import type { AnyEffect } from "../../effects/define-effect.ts";
import { UserError } from "../../errors.ts";
import type { WorkspaceContext } from "./define-workspace-tool.ts";

/**
 * Performs an effect of jobs with what the agent's role grants, and reads its result. Refusals name what is granted instead of what
 * the author of a job would write.
 */
export async function performEffect<T>(
  { effects, role, folder }: WorkspaceContext,
  effect: AnyEffect,
  args: unknown,
  result: z.ZodType<T>,
): Promise<T> {
  try {
    return result.parse(await effect.prepare(args, effects.manifest).perform(effects));
  } catch (thrown) {
    if (!(thrown instanceof UserError)) throw thrown;
    const { code, message } = thrown;
    if (code !== "permission_denied" && code !== "file_unsafe" && code !== "limit_exceeded") throw thrown;
    const plain = message.replace(/(: add |; limits\.| If that is meant).*$/s, ".").replace(/^This job may/, "You may");
    throw new UserError(code, `${plain} ${code === "limit_exceeded" ? "" : grantedText(role, folder)}`.trim(), {
      cause: thrown,
    });
  }
}

function grantedText({ permissions }: WorkspaceContext["role"], folder: string | null): string {
  const named = (paths: readonly string[]) =>
    paths.map((path) => (path === "." ? (folder ?? "your own folder") : path));
  const { net, files } = permissions;
  const parts = [
    `hosts: ${net.map(({ host, port }) => (port === null ? host : `${host}:${port}`)).join(", ") || "none"}`,
    `read: ${named([...files.read, ...files.write]).join(", ") || "nothing"}`,
    `write: ${named(files.write).join(", ") || "nothing"}`,
  ];
  return `Your role grants ${parts.join("; ")}.`;
}
