import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { fetchMock, mockResult } from "./mock-results.ts";

const mockError = z.union([
  z.string().max(2_000),
  z.strictObject({
    message: z.string().max(2_000),
    name: z.string().max(100).optional(),
    code: z.string().max(100).optional(),
  }),
]);

/** An answer that is given in advance: to calls of `op` whose arguments have everything that `match` has. */
export const mockSchema = z
  .strictObject({
    op: z.string().min(1).max(50).describe("such as fetch, files.read or ask"),
    match: z.record(z.string(), z.json()).describe("some of the arguments; * in a text stands for anything").optional(),
    result: z.json().describe("for fetch {status, headers, body}").optional(),
    error: mockError.optional(),
    times: z.int().min(1).max(1_000).describe("default: any number").optional(),
  })
  .refine((mock) => (mock.result === undefined) !== (mock.error === undefined), "give either result or error")
  .refine(
    ({ op, result }) =>
      op !== "fetch" || result === undefined || typeof result === "string" || fetchMock.safeParse(result).success,
    "the result of a fetch is {status, headers, body}, or its body as text",
  );

export const mocksSchema = z.array(mockSchema).max(200);

export type Mock = z.infer<typeof mockSchema>;

export type MockAnswer = Readonly<{ ok: boolean; json: string }>;

/** Answers calls from mocks, the first that fits and is not used up. */
export function createMocks(mocks: readonly Mock[]): (op: string, args: unknown) => MockAnswer | undefined {
  const left = mocks.map(({ times = Number.POSITIVE_INFINITY }) => times);
  return (op, args) => {
    const view = matchable(op, args);
    const index = mocks.findIndex(
      (mock, at) => mock.op === op && (left[at] ?? 0) > 0 && (mock.match === undefined || fits(mock.match, view)),
    );
    const mock = mocks[index];
    if (mock === undefined) return undefined;
    left[index] = (left[index] ?? 0) - 1;
    if (mock.error === undefined) return { ok: true, json: JSON.stringify(mockResult(op, args, mock.result) ?? null) };
    const { name = "EffectError", ...error } = typeof mock.error === "string" ? { message: mock.error } : mock.error;
    return { ok: false, json: JSON.stringify({ name, ...error }) };
  };
}

const record = z.record(z.string(), z.unknown());
const fetchArgs = z.object({ headers: z.array(z.tuple([z.string(), z.string()])), body: z.string().nullable() });

/** Arguments as a person would write them: the body of a fetch as text, and its headers by name. */
function matchable(op: string, args: unknown): unknown {
  const parsed = op === "fetch" ? fetchArgs.safeParse(args).data : undefined;
  if (parsed === undefined) return args;
  const body = parsed.body === null ? null : Buffer.from(parsed.body, "base64").toString("utf8");
  return { ...record.parse(args), headers: Object.fromEntries(parsed.headers), body };
}

function fits(wanted: unknown, given: unknown): boolean {
  if (typeof wanted === "string" && wanted.includes("*")) return typeof given === "string" && isLike(given, wanted);
  const parts = record.safeParse(wanted).data;
  if (parts === undefined || Array.isArray(wanted)) return isDeepStrictEqual(wanted, given);
  const from = record.safeParse(given).data;
  return from !== undefined && Object.entries(parts).every(([key, value]) => fits(value, from[key]));
}

/** Whether a text has the pieces between the stars, in order. Not a regular expression, which a text could make slow. */
function isLike(text: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop() ?? "";
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
