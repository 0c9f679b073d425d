import { isAbsolute, resolve } from "node:path";
import { UserError } from "../../errors.ts";
import type { WorkspaceContext } from "./define-workspace-tool.ts";

/** A path as a model gives it, made absolute from the agent's folder. Whether it is granted is checked where it is used. */
export function workspacePath({ folder }: Pick<WorkspaceContext, "folder">, path: string): string {
  if (isAbsolute(path) || path === "~" || path.startsWith("~/")) return path;
  if (folder !== null) return resolve(folder, path);
  throw new UserError(
    "invalid_argument",
    `"${path.slice(0, 100)}" is no absolute path, and you have no folder of your own.`,
  );
}
