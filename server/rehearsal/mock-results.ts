import { z } from "zod";

/** The answer to a fetch as a person writes it; a body that is no text is sent as JSON. */
export const fetchMock = z.object({
  status: z.int().min(100).max(599).default(200),
  statusText: z.string().default(""),
  headers: z.union([z.record(z.string(), z.string()), z.array(z.tuple([z.string(), z.string()]))]).default({}),
  body: z.json().optional(),
  url: z.string().optional(),
  redirected: z.boolean().default(false),
});
const fetchArgs = z.object({ url: z.string() });
const execMock = z.object({
  code: z.int().nullable().default(0),
  signal: z.string().nullable().default(null),
  stdout: z.string().default(""),
  stderr: z.string().default(""),
});
const llmMock = z.object({
  text: z.string(),
  json: z.unknown().optional(),
  tokens: z.object({ prompt: z.int(), output: z.int() }).default({ prompt: 0, output: 0 }),
  finish: z.enum(["stop", "length"]).default("stop"),
});
const answered = z.object({ answer: z.json() });

/**
 * What the effect itself would give, of what a person writes for it: bodies, files and outputs as text, a model's answer as its
 * text, and the answer to a question as it is. What has another form is taken as it stands.
 */
export function mockResult(op: string, args: unknown, given: unknown): unknown {
  switch (op) {
    case "fetch":
      return fetchResult(args, given);
    case "files.read":
      return typeof given === "string" ? fileResult(given) : given;
    case "exec": {
      const output = execMock.safeParse(typeof given === "string" ? { stdout: given } : given).data;
      return output === undefined ? given : { ...output, stdout: base64(output.stdout), stderr: base64(output.stderr) };
    }
    case "llm.generate":
      return llmMock.safeParse(typeof given === "string" ? { text: given } : given).data ?? given;
    case "ask":
      return answered.safeParse(given).success ? given : { answer: given };
    default:
      return given;
  }
}

function fetchResult(args: unknown, given: unknown): unknown {
  const mock = fetchMock.safeParse(typeof given === "string" ? { body: given } : given).data;
  if (mock === undefined) return given;
  const { status, statusText, redirected, body } = mock;
  const isText = typeof body === "string";
  const headers = Array.isArray(mock.headers) ? [...mock.headers] : Object.entries(mock.headers);
  const typed = headers.some(([name]) => name.toLowerCase() === "content-type");
  if (body !== undefined && body !== null && !isText && !typed) headers.push(["content-type", "application/json"]);
  const text = body === undefined || body === null ? "" : isText ? body : JSON.stringify(body);
  const url = mock.url ?? fetchArgs.safeParse(args).data?.url ?? "";
  return { status, statusText, url, redirected, headers, body: base64(text) };
}

function fileResult(text: string): unknown {
  return { data: base64(text), bytes: Buffer.byteLength(text), modifiedMs: 0 };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
