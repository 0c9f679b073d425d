import { homedir } from "node:os";
import { z } from "zod";
import { UserError } from "../../errors.ts";
import { defineWorkspaceTool } from "./define-workspace-tool.ts";

export const commandRun = defineWorkspaceTool({
  name: "command_run",
  description: "Runs a program that the person has signed, by its name, with arguments.",
  input: z.strictObject({
    command: z.string().min(1).max(100),
    args: z.array(z.string().max(10_000)).max(200).default([]),
  }),
  async perform({ role, folder, runCommand, signal }, { command, args }) {
    const { commands } = role.permissions;
    if (!commands.includes(command)) {
      const granted = commands.length === 0 ? "none" : commands.join(", ");
      throw new UserError(
        "permission_denied",
        `Your role does not grant the command "${command}". It grants: ${granted}.`,
      );
    }
    const end = await runCommand({ name: command, args, cwd: folder ?? homedir(), signal });
    const how = end.timedOut ? "ended because its time was up" : `exit code ${end.code ?? "none"}`;
    const part = (name: string, text: string) => (text === "" ? "" : `\n${name}:\n${text}`);
    return `${how}${part("stdout", end.stdout)}${part("stderr", end.stderr)}${end.truncated ? "\n[more was put out]" : ""}`;
  },
});
