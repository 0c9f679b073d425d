import type { z } from "zod";
import { requireZod } from "./schemas.ts";

type JsonSchema = Record<string, unknown>;

/** The schema that an answer must fit, as it crosses the border, and how the answer is read afterwards. */
export type AnswerSchema = Readonly<{ json: JsonSchema; read(answer: unknown): unknown }>;

/** From a schema of our `z`, which also reads the answer (defaults, transforms), or from plain JSON Schema. */
export function answerSchema(schema: unknown, what: string): AnswerSchema {
  if (typeof schema !== "object" || schema === null) throw new TypeError(`${what}: schema must be a schema of z`);
  if (!("_zod" in schema)) return { json: schema as JsonSchema, read: (answer) => answer };
  const zod = schema as z.ZodType;
  const { $schema: _, ...json } = requireZod().toJSONSchema(zod, { io: "input", unrepresentable: "any" });
  return { json, read: (answer) => zod.parse(answer) };
}
