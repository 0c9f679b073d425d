import type { Context } from "hono";
import { z } from "zod";
import { UserError } from "../../errors.ts";

/** What came in at the person's door, as the schema reads it. Throws `invalid_argument`. */
export function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new UserError("invalid_argument", z.prettifyError(result.error));
}

/** The JSON body of a request; an empty one counts as `{}`. Throws `invalid_argument`. */
export async function parseBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await c.req.text();
  let value: unknown;
  try {
    value = text.trim() === "" ? {} : JSON.parse(text);
  } catch (cause) {
    throw new UserError("invalid_argument", "The body is not JSON.", { cause });
  }
  return parse(schema, value);
}

/** A positive whole number in a query or a path. */
export const countText = z.coerce.number().int().positive().max(999_999_999);

/** How many rows one page of a list may have. */
export const limitText = z.coerce.number().int().min(1).max(500);
