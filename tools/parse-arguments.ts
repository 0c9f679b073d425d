import { z } from "zod";
import { UserError } from "../server/errors.ts";
import { nearestWord } from "../server/nearest-word.ts";

/**
 * The arguments of a call, parsed. Throws `invalid_argument` with every problem at once; an unknown argument is answered with
 * the expected ones and the nearest, since a silently dropped argument is a call that does something else.
 */
export function parseArguments<Shape extends z.ZodRawShape>(
  tool: string,
  schema: z.ZodObject<Shape, z.core.$strict>,
  args: unknown,
): z.output<z.ZodObject<Shape, z.core.$strict>> {
  const parsed = schema.safeParse(args ?? {});
  if (parsed.success) return parsed.data;
  const known = Object.keys(schema.shape);
  const problems = parsed.error.issues.flatMap((issue) => describe(issue, known, args));
  throw new UserError("invalid_argument", problems.join(" "), { next: `${tool} {${signature(schema)}}` });
}

function describe(issue: z.core.$ZodIssue, known: string[], args: unknown): string[] {
  if (issue.code === "unrecognized_keys" && issue.path.length === 0) {
    return issue.keys.map((key) => {
      const guess = nearestWord(key, known);
      const expected = known.length === 0 ? "it takes none" : `expected: ${known.join(", ")}`;
      return `Unknown argument "${shown(key)}"${guess === undefined ? "" : ` (did you mean "${guess}"?)`}; ${expected}.`;
    });
  }
  const where = issue.path.map(String).join(".");
  if (where === "") return [`${issue.message}.`];
  return [`Argument "${shown(where)}"${isMissing(issue.path, args) ? " is missing" : `: ${messageOf(issue)}`}.`];
}

function isMissing(path: readonly PropertyKey[], args: unknown): boolean {
  let value = args;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return value === undefined;
    value = Reflect.get(value, key);
  }
  return value === undefined;
}

/** Of a choice between shapes, what each of them would have liked. */
function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_union") return issue.message;
  const each = issue.errors.flat().map((problem) => problem.message);
  return [...new Set(each)].join(" / ") || issue.message;
}

function signature<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape, z.core.$strict>): string {
  return Object.entries<z.core.$ZodType>(schema.shape)
    .map(([key, member]) => (z.safeParse(member, undefined).success ? `${key}?` : key))
    .join(", ");
}

function shown(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, "?").slice(0, 60);
}
