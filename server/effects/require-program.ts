import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { UserError } from "../errors.ts";

/** Throws `exec_failed` where that is no program of this machine. */
export async function requireProgram(command: string): Promise<void> {
  const found = await stat(command).catch(() => undefined);
  if (found === undefined) throw new UserError("exec_failed", `There is no program ${command} on this machine.`);
  const executable = await access(command, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!found.isFile() || !executable) throw new UserError("exec_failed", `${command} is no executable file.`);
}
