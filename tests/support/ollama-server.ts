import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { z } from "zod";

const call = z.looseObject({
  function: z.looseObject({ name: z.string(), arguments: z.record(z.string(), z.unknown()) }),
});
const message = z.looseObject({
  role: z.string(),
  content: z.string().default(""),
  tool_calls: z.array(call).optional(),
  tool_name: z.string().optional(),
});
const chatRequest = z.looseObject({
  model: z.string(),
  messages: z.array(message).default([]),
  stream: z.boolean().default(true),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).default([]),
  format: z.unknown().optional(),
  options: z.record(z.string(), z.unknown()).default({}),
  keep_alive: z.union([z.string(), z.number()]).optional(),
});
export type OllamaChat = z.infer<typeof chatRequest>;

type ToolCall = Readonly<{ name: string; arguments: Readonly<Record<string, unknown>> }>;

/** How the stand-in answers a chat. */
export type OllamaReply = Readonly<{
  /** Pieces of the text, each a line of the stream. Left out: none beside calls, JSON that fits where the request has a schema, else a greeting. */
  pieces?: readonly string[];
  toolCalls?: readonly ToolCall[];
  thinking?: string;
  doneReason?: "stop" | "length";
  /** Left out, Ollama had the prompt cached. */
  promptTokens?: number;
  /** Before each piece. */
  delayMs?: number;
  /** After the pieces: the last line, an error line, a cut connection, a stream that ends too early, or nothing any more. */
  end?: "done" | "error" | "dead" | "early" | "stalled";
  /** What the error line says. */
  error?: string;
  /** Instead of a stream. */
  refusal?: Readonly<{ status: number; error: string }>;
}>;

/** What real servers refuse with; for `refusal`, or as the `error` of a stream. */
export const ollamaTrouble = {
  outOfMemory: { status: 500, error: "model requires more system memory (5.6 GiB) than is available (3.1 GiB)" },
  runnerGone: { status: 500, error: "llama runner process has terminated: cudaMalloc failed: out of memory" },
  busy: { status: 503, error: "server busy, please try again.  maximum pending requests exceeded" },
  badCall: { status: 500, error: `error parsing tool call: raw='{"url": "htt', err=unexpected end of JSON input` },
} as const;

export type OllamaServer = AsyncDisposable &
  Readonly<{
    url: string;
    chats: OllamaChat[];
    /** Chats that are answered now, and the most that ever were at a time. */
    active(): number;
    mostActive(): number;
    /** Resolves once a chat was ended by the client before it was answered. */
    abandoned: Promise<void>;
  }>;

type Options = Readonly<{
  models?: readonly string[];
  /** Those of them that cannot call tools. */
  withoutTools?: readonly string[];
  reply?: (chat: OllamaChat, index: number) => OllamaReply;
}>;

/** A stand-in for Ollama on a free port of 127.0.0.1. It speaks the HTTP API of https://docs.ollama.com/api as Ollama 0.12 does. */
export async function ollamaServer({
  models = ["qwen3:4b"],
  withoutTools = [],
  reply = () => ({}),
}: Options = {}): Promise<OllamaServer> {
  const chats: OllamaChat[] = [];
  const { promise: abandoned, resolve: abandon } = Promise.withResolvers<void>();
  let active = 0;
  let most = 0;

  const server = createServer(async (request, response) => {
    const body = await readBody(request);
    const route = `${request.method} ${request.url}`;
    if (route === "GET /") return void response.end("Ollama is running");
    if (route === "GET /api/version") return json(response, 200, { version: "0.12.6" });
    if (route === "GET /api/tags") return json(response, 200, { models: models.map(tag) });
    if (route === "POST /api/show") {
      const { model } = z.looseObject({ model: z.string() }).parse(JSON.parse(body));
      if (!models.includes(model)) return json(response, 404, { error: `model '${model}' not found` });
      return json(response, 200, {
        details: tag(model).details,
        capabilities: withoutTools.includes(model) ? ["completion"] : ["completion", "tools"],
        model_info: {},
      });
    }
    if (route !== "POST /api/chat") return void response.writeHead(404).end("404 page not found");
    const parsed = chatRequest.safeParse(JSON.parse(body));
    if (!parsed.success) return json(response, 400, { error: `json: cannot unmarshal: ${parsed.error.message}` });
    const chat = parsed.data;
    chats.push(chat);
    if (!models.includes(chat.model)) return json(response, 404, { error: `model '${chat.model}' not found` });
    if (chat.tools.length > 0 && withoutTools.includes(chat.model))
      return json(response, 400, { error: `registry.ollama.ai/library/${chat.model} does not support tools` });
    const answer = filledIn(chat, reply(chat, chats.length - 1));
    if (answer.refusal !== undefined) return json(response, answer.refusal.status, { error: answer.refusal.error });
    active++;
    most = Math.max(most, active);
    response.once("close", () => {
      active--;
      if (!response.writableEnded) abandon();
    });
    if (chat.stream) await stream(response, chat, answer);
    else json(response, 200, { ...whole(chat, answer), ...lastLine(answer) });
  });

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    chats,
    active: () => active,
    mostActive: () => most,
    abandoned,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}

/** The reply with its text, which ends where the request wants no more tokens. A piece counts as one. */
function filledIn({ format, options }: OllamaChat, reply: OllamaReply): Filled {
  const { toolCalls = [], pieces = toolCalls.length > 0 ? [] : textFor(format) } = reply;
  const most = typeof options.num_predict === "number" && options.num_predict > 0 ? options.num_predict : undefined;
  if (most === undefined || pieces.length <= most) return { ...reply, toolCalls, pieces };
  return { ...reply, toolCalls: [], pieces: pieces.slice(0, most), doneReason: "length" };
}

type Filled = OllamaReply & Required<Pick<OllamaReply, "pieces" | "toolCalls">>;

function textFor(format: unknown): string[] {
  if (format === undefined) return ["Hello", " there"];
  return [JSON.stringify(exampleOf(schemaNode.parse(format === "json" ? { type: "object" } : format)))];
}

const schemaNode = z.looseObject({
  type: z.string().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
});

/** The plainest value that fits a schema, as a grammar makes even the dullest model write. */
function exampleOf(schema: z.infer<typeof schemaNode>): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  if (schema.type === "object") {
    const entries = schema.required.map((name) => [name, exampleOf(schemaNode.parse(schema.properties?.[name] ?? {}))]);
    return Object.fromEntries(entries);
  }
  const plain: Record<string, unknown> = { array: [], number: 1, integer: 1, boolean: true, null: null };
  return schema.type !== undefined && schema.type in plain ? plain[schema.type] : "text";
}

function tag(name: string) {
  const details = { format: "gguf", family: "qwen3", parameter_size: "4.0B", quantization_level: "Q4_K_M" };
  return {
    name,
    model: name,
    modified_at: "2026-01-01T00:00:00Z",
    size: 2_620_788_260,
    digest: "0".repeat(64),
    details,
  };
}

async function stream(response: ServerResponse, chat: OllamaChat, answer: Filled): Promise<void> {
  const { pieces, delayMs = 0, end = "done", thinking } = answer;
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.flushHeaders();
  const line = (body: object) => response.write(`${JSON.stringify(body)}\n`);
  if (thinking !== undefined) line(part(chat, { content: "", thinking }));
  for (const content of pieces) {
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    if (response.destroyed) return;
    line(part(chat, { content }));
  }
  // Each call has a line of its own, and none an id.
  for (const each of callsOf(answer)) line(part(chat, { content: "", tool_calls: [each] }));
  const error = answer.error ?? "an error was encountered while running the model: unexpected EOF";
  if (end === "error") response.end(`${JSON.stringify({ error })}\n`);
  else if (end === "dead") response.socket?.destroy();
  else if (end === "early") response.end('{"model":"qwen3');
  else if (end === "done") response.end(`${JSON.stringify({ ...part(chat, { content: "" }), ...lastLine(answer) })}\n`);
}

function callsOf({ toolCalls }: Filled) {
  return toolCalls.map((each, index) => ({ function: { index, ...each } }));
}

function part({ model }: OllamaChat, message: object) {
  return { model, created_at: "2026-01-01T00:00:00Z", message: { role: "assistant", ...message }, done: false };
}

function whole(chat: OllamaChat, answer: Filled) {
  const calls = callsOf(answer);
  return part(chat, { content: answer.pieces.join(""), ...(calls.length === 0 ? {} : { tool_calls: calls }) });
}

/** A call of a tool ends an answer as anything else does: with "stop". */
function lastLine({ doneReason = "stop", promptTokens, pieces, toolCalls }: Filled) {
  return {
    done: true,
    done_reason: doneReason,
    total_duration: 1_000_000,
    load_duration: 1_000,
    ...(promptTokens === undefined ? {} : { prompt_eval_count: promptTokens, prompt_eval_duration: 1_000 }),
    eval_count: pieces.length + toolCalls.length,
    eval_duration: 1_000,
  };
}
