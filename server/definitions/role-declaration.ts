import { z } from "zod";
import { providerName } from "../config-schema.ts";
import { formatDuration, parseDuration } from "../duration.ts";
import { readModelName } from "../model-name.ts";

const second = 1_000;
const day = 86_400_000;

const name = z.string("must be a name").min(1, "must be a name").max(200);

/** A list of names; what stands in it in words. */
const names = (what: string) => z.array(name, `must be a list of ${what}, such as [one, two]`).max(100).default([]);

/** Milliseconds between `min` and `max`, written as `10m`. */
export function durationBetween(min: number, max: number) {
  const range = `between ${formatDuration(min)} and ${formatDuration(max)}`;
  return z
    .union([z.string(), z.number()], `must be a duration such as 10m, ${range}`)
    .transform((written) => parseDuration(written) ?? Number.NaN)
    .refine((ms) => ms >= min && ms <= max, `must be a duration such as 10m, ${range}`);
}

/** `provider` or `provider:model`, such as `ollama:qwen3:4b`. */
const modelText = z.string().transform((text, context) => {
  const named = readModelName(text);
  if (named !== undefined) return named;
  context.addIssue(
    `${JSON.stringify(text.slice(0, 80))} names no model: write ollama:qwen3:4b, claude, gemini or codex`,
  );
  return z.NEVER;
});

const model = z.union([
  modelText,
  z.strictObject({ provider: providerName, model: z.string().min(1).nullable().default(null) }),
]);

/** A host as `api.example.org`, or with a port or a private address as in jobs. */
const host = z.union([
  name,
  z.strictObject({
    host: name,
    port: z.int().min(1).max(65_535).nullable().optional(),
    private: z.boolean().default(false),
  }),
]);

/** What stands above a role's instructions. Every default of a role stands here and nowhere else. */
export const roleDeclaration = z.strictObject({
  description: z.string("must say what the role does").trim().min(1, "must say what the role does").max(500),
  models: z.array(model, "must be a list such as [ollama:qwen3:4b, claude]").max(10).default([]),
  skills: names("skills"),
  mcp: z.record(name, z.array(name, "must be the list of tools of that server that it may call").max(200)).default({}),
  tools: names("tools"),
  permissions: z
    .strictObject({
      net: z.array(host, "must be a list of hosts").max(100).default([]),
      files: z.strictObject({ read: names("folders"), write: names("folders") }).prefault({}),
      commands: names("commands"),
      jobs: names("jobs"),
    })
    .prefault({}),
  answer: z.record(z.string(), z.json(), "must be a JSON Schema").nullable().default(null),
  temperature: z.number().min(0).max(2).nullable().default(null),
  limits: z
    .strictObject({
      turns: z.int().min(1).max(200).default(20),
      toolCalls: z.int().min(0).max(1_000).default(40),
      tokens: z.int().min(1_000).max(10_000_000).default(100_000),
      usd: z.number().min(0).max(1_000).default(0.5),
      timeout: durationBetween(10 * second, day).prefault("10m"),
      contextTokens: z.int().min(1_024).max(2_000_000).default(8_192),
      outputTokens: z.int().min(64).max(200_000).default(2_048),
      depth: z.int().min(0).max(10).default(0),
    })
    .prefault({}),
});

export type DeclaredRole = z.infer<typeof roleDeclaration>;
