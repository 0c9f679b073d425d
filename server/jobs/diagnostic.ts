import { z } from "zod";

/** One finding in a job's source. Lines and columns count from 1; `hint` says what to do instead. */
export const diagnosticSchema = z.strictObject({
  /** Path relative to the jobs folder. */
  file: z.string(),
  line: z.int().positive(),
  column: z.int().positive(),
  message: z.string(),
  hint: z.string().nullable(),
  severity: z.enum(["error", "warning"]),
});

export type Diagnostic = z.infer<typeof diagnosticSchema>;

/** An error at a place in the source; the start of the file where no place is known. */
export function problem(
  file: string,
  message: string,
  hint: string | null = null,
  { line = 1, column = 1 } = {},
): Diagnostic {
  return { file, line, column, message, hint, severity: "error" };
}
