import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { promisify } from "node:util";
import { zstdDecompress } from "node:zlib";
import { z } from "zod";

/** How a stand-in for a cloud model answers a question. */
export type ApiReply = Readonly<{
  text?: string;
  tokens?: Readonly<{ prompt: number; output: number }>;
  /** Whether the answer ends because the tokens ran out. */
  cut?: boolean;
  /** Instead of an answer: the API's own error. */
  refusal?: Readonly<{ status: number; message: string }>;
  /** Nothing comes, for ever. */
  silent?: boolean;
}>;

export type ApiQuestion = Readonly<{ path: string; headers: IncomingMessage["headers"]; body: unknown; text: string }>;

export type ApiServer = AsyncDisposable & Readonly<{ url: string; questions: readonly ApiQuestion[] }>;

type Dialect = Readonly<{
  /** Which requests are questions to a model. */
  asks(request: IncomingMessage): boolean;
  answer(response: ServerResponse, reply: Required<Pick<ApiReply, "text" | "tokens" | "cut">>, body: unknown): void;
  refuse(refusal: NonNullable<ApiReply["refusal"]>): object;
}>;

export type Replies = (question: ApiQuestion, index: number) => ApiReply;

/** A stand-in for the API of a cloud model on a free port of 127.0.0.1. Whatever is no question is not found. */
export async function apiServer(dialect: Dialect, reply: Replies): Promise<ApiServer> {
  const questions: ApiQuestion[] = [];
  const server = createServer(async (request, response) => {
    const text = await readBody(request);
    if (!dialect.asks(request)) return json(response, 404, dialect.refuse({ status: 404, message: "not found" }));
    const question = { path: request.url ?? "", headers: request.headers, body: JSON.parse(text), text };
    questions.push(question);
    const { refusal, silent = false, ...given } = reply(question, questions.length - 1);
    if (refusal !== undefined) return json(response, refusal.status, dialect.refuse(refusal));
    if (silent) return;
    const answer = { text: "Hello there", tokens: { prompt: 100, output: 12 }, cut: false, ...given };
    dialect.answer(response, answer, question.body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return {
    url: `http://127.0.0.1:${port}`,
    questions,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** One event of a stream of server-sent events. */
export function sendEvent(response: ServerResponse, data: object, event?: string): void {
  response.write(`${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`);
}

export function openStream(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const body = Buffer.concat(chunks);
  const plain = request.headers["content-encoding"] === "zstd" ? await promisify(zstdDecompress)(body) : body;
  return plain.toString();
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
