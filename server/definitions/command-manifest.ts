import { z } from "zod";

/** A program that roles and plans may run by name, frozen. */
export const commandManifestSchema = z.strictObject({
  description: z.string().min(1).max(500),
  /** Absolute path. */
  program: z.string(),
  /** One pattern per argument, as in `ExecGrant`; `**` as the last one stands for any number of further arguments. */
  args: z.array(z.string()),
  /** Absolute path of the folder that it starts in; null for the agent's or plan's own. */
  cwd: z.string().nullable(),
  /** Names of variables that are passed on from the daemon's environment, besides PATH, HOME and LANG. */
  env: z.array(z.string()),
  /** Names of secrets that it gets as variables of the same names. */
  secrets: z.array(z.string()),
  timeoutMs: z.int().positive(),
  /** Most bytes of its two outputs together. */
  outputBytes: z.int().positive(),
});

export type CommandManifest = Readonly<z.infer<typeof commandManifestSchema>>;
