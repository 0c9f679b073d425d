import { z } from "zod";
import { findJson, parseLeniently } from "./find-json.ts";
import type { JsonSchema } from "./types.ts";

type Fit = Readonly<{ ok: true; json: string } | { ok: false; reason: string }>;

/** The JSON within an answer that fits a schema, whatever prose or fences stand around it, or why there is none. */
export function fitSchema(schema: JsonSchema, text: string): Fit {
  const whole = parseLeniently(text);
  // The last one is likelier meant: what stands before it thinks aloud.
  const candidates =
    whole === undefined
      ? findJson(text)
          .map(({ value }) => value)
          .reverse()
      : [whole];
  if (candidates.length === 0) return { ok: false, reason: "it holds no JSON" };
  const check = checkerOf(schema);
  const reasons: string[] = [];
  for (const value of candidates) {
    const reason = check(value);
    if (reason === undefined) return { ok: true, json: JSON.stringify(value) };
    reasons.push(reason);
  }
  return { ok: false, reason: `its JSON does not fit the schema: ${reasons[0]}` };
}

/** Says what is wrong with a value. A schema that zod does not know passes all: who asked has a judge of its own. */
function checkerOf(schema: JsonSchema): (value: unknown) => string | undefined {
  try {
    const parser = z.fromJSONSchema({ ...schema });
    return (value) => {
      const { error } = parser.safeParse(value);
      return error?.issues
        .slice(0, 5)
        .map(({ path, message }) => (path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`))
        .join("; ");
    };
  } catch {
    return () => undefined;
  }
}
