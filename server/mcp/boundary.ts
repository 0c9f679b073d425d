import { randomUUID } from "node:crypto";
import { type CallToolResult, ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js";
import { tools } from "../../tools/table.ts";
import { type HostClient, hostLabel, type SharedContext, type ToolContext } from "../../tools/tool-context.ts";
import { UserError } from "../errors.ts";
import type { Log } from "../log.ts";
import { asMachineTrouble } from "../machine-trouble.ts";
import { nearestWord } from "../nearest-word.ts";

/** What one request brings along. */
export type Boundary = Readonly<{
  context: () => Promise<SharedContext>;
  log: Log;
  client: HostClient;
  signal: AbortSignal;
}>;

/** Calls a tool. The caller's own mistakes come back as an `isError` result that says what to do; bugs as an id to look for. */
export async function callTool(
  boundary: Boundary,
  params: { name: string; arguments?: unknown },
): Promise<CallToolResult> {
  const done = await guarded(boundary, params.name, async (context) => {
    const tool = tools.find((candidate) => candidate.name === params.name);
    if (tool === undefined) throw unknownTool(params.name);
    return tool.call(await context(), params.arguments);
  });
  if (done.ok) return { content: [{ type: "text", text: done.value }] };
  return { content: [{ type: "text", text: done.text }], isError: true };
}

/** Prompts and resources have no `isError` result: their failures are errors of the protocol, with the same text. */
export async function protocolAnswer<T>(
  boundary: Boundary,
  what: string,
  answer: (context: ToolContext) => Promise<T>,
): Promise<T> {
  const done = await guarded(boundary, what, async (context) => answer(await context()));
  if (done.ok) return done.value;
  throw new McpError(done.bug ? ErrorCode.InternalError : ErrorCode.InvalidParams, done.text);
}

type Outcome<T> = { ok: true; value: T } | { ok: false; bug: boolean; text: string };

/** The one place where an error of a tool, prompt or resource is met. */
async function guarded<T>(
  { context, log, client, signal }: Boundary,
  what: string,
  answer: (context: () => Promise<ToolContext>) => Promise<T>,
): Promise<Outcome<T>> {
  const traceId = randomUUID().replaceAll("-", "").slice(0, 16);
  const child = log.child({ trace: traceId, call: what.slice(0, 200), host: hostLabel(client) });
  const startMs = performance.now();
  const ms = () => Math.round((performance.now() - startMs) * 10) / 10;
  let command: SharedContext["command"] | undefined;
  const callContext = async (): Promise<ToolContext> => {
    const shared = await context();
    command = shared.command;
    return { ...shared, client, traceId, signal, log: child };
  };
  try {
    const value = await answer(callContext);
    child.info({ ms: ms() }, "mcp call");
    return { ok: true, value };
  } catch (thrown) {
    const error = asMachineTrouble(thrown) ?? thrown;
    if (error !== thrown) child.error({ err: thrown }, "the machine is in trouble");
    if (signal.aborted) {
      child.info({ ms: ms() }, "mcp call cancelled by the host");
      return { ok: false, bug: false, text: "**aborted** The host cancelled this call." };
    }
    if (error instanceof UserError) {
      child.info({ ms: ms(), code: error.code }, "mcp call refused");
      return { ok: false, bug: false, text: errorText(error, command) };
    }
    child.error({ ms: ms(), err: error }, "mcp call failed: a bug, or a machine in trouble");
    return {
      ok: false,
      bug: true,
      text: `**internal_error** Something went wrong inside JobRunner (id ${traceId}).\n\nNext: call status; if it happens again, tell the person to look for "${traceId}" in the daemon's log.`,
    };
  }
}

/** Errors of the core name the person's commands as `jr …`; a host must hand over one that works as pasted. */
function errorText({ code, message, next }: UserError, command: SharedContext["command"] | undefined): string {
  if (next === undefined) return `**${code}** ${message}`;
  const [program, ...words] = next.split(" ");
  const isForPerson = program === "jr" && command !== undefined;
  return `**${code}** ${message}\n\nNext: ${isForPerson ? `the person runs: ${command(...words)}` : next}`;
}

function unknownTool(name: string): UserError {
  const names = tools.map((tool) => tool.name);
  const guess = nearestWord(name, names);
  const hint = guess === undefined ? "" : ` Did you mean "${guess}"?`;
  return new UserError("invalid_argument", `No tool "${name.replace(/[^\x20-\x7e]+/g, "?").slice(0, 60)}".${hint}`, {
    next: `one of ${names.join(", ")}`,
  });
}
