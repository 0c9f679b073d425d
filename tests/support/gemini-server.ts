import { type ApiServer, apiServer, openStream, type Replies, sendEvent } from "./api-server.ts";

const statuses: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
};

/** A stand-in for https://ai.google.dev/api/generate-content as far as Gemini CLI needs it. */
export function geminiServer(reply: Replies = () => ({})): Promise<ApiServer> {
  return apiServer(
    {
      asks: ({ method, url = "" }) => method === "POST" && /:(streamG|g)enerateContent/.test(url),
      refuse: ({ status, message }) => ({ error: { code: status, message, status: statuses[status] ?? "INTERNAL" } }),
      answer(response, { text, tokens, cut }) {
        const part = {
          candidates: [
            { content: { role: "model", parts: [{ text }] }, finishReason: cut ? "MAX_TOKENS" : "STOP", index: 0 },
          ],
          usageMetadata: {
            promptTokenCount: tokens.prompt,
            candidatesTokenCount: tokens.output,
            totalTokenCount: tokens.prompt + tokens.output,
          },
          modelVersion: "gemini-2.5-flash",
          responseId: "r1",
        };
        if (!response.req.url?.includes(":streamG"))
          return void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(part));
        openStream(response);
        sendEvent(response, part);
        response.end();
      },
    },
    reply,
  );
}
