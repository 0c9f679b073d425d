import { z } from "zod";
import type { Manifest } from "../jobs/manifest.ts";
import { storableText } from "../store/text.ts";

export type CheckedInput = { ok: true; json: string | null } | { ok: false; problems: string[] };

/** Longest input, in characters of JSON. */
const inputLength = 256 * 1024;

/**
 * Checks an input against a manifest's JSON Schema and gives it back as JSON, with the schema's defaults filled in.
 * Where no input is given and the job takes one, `{}` is checked, so that defaults alone can make it up.
 */
export function checkInput(schema: Manifest["input"], input: unknown): CheckedInput {
  const given = input !== undefined && input !== null;
  if (schema === null) {
    return given ? { ok: false, problems: ["the job takes no input"] } : { ok: true, json: null };
  }
  const parsed = z.fromJSONSchema(schema).safeParse(given ? input : {});
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const path = issue.path.map(String).join(".");
      return path === "" ? issue.message : `${path}: ${issue.message}`;
    });
    return { ok: false, problems };
  }
  const json = JSON.stringify(parsed.data);
  if (json.length > inputLength)
    return { ok: false, problems: [`it is larger than ${inputLength} characters of JSON`] };
  return { ok: true, json: storableText(json) };
}
