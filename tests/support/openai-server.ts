import { type ApiServer, apiServer, openStream, type Replies, sendEvent } from "./api-server.ts";

/** A stand-in for https://platform.openai.com/docs/api-reference/responses-streaming as far as Codex needs it. */
export function openaiServer(reply: Replies = () => ({})): Promise<ApiServer> {
  return apiServer(
    {
      asks: ({ method, url = "" }) => method === "POST" && url.endsWith("/responses"),
      refuse: ({ status, message }) => ({
        error: { message, type: "invalid_request_error", code: status === 429 ? "rate_limit_exceeded" : null },
      }),
      answer(response, { text, tokens, cut }) {
        openStream(response);
        const send = (type: string, rest: object) => sendEvent(response, { type, ...rest }, type);
        const whole = { id: "resp_1", object: "response" };
        const item = {
          id: "msg_1",
          type: "message",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text, annotations: [] }],
        };
        const usage = {
          input_tokens: tokens.prompt,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: tokens.output,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: tokens.prompt + tokens.output,
        };
        send("response.created", { response: { ...whole, status: "in_progress", output: [] } });
        send("response.output_item.added", { output_index: 0, item: { ...item, status: "in_progress", content: [] } });
        send("response.output_text.delta", { item_id: "msg_1", output_index: 0, content_index: 0, delta: text });
        send("response.output_item.done", { output_index: 0, item });
        if (cut) {
          const incomplete = { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
          send("response.incomplete", { response: { ...whole, ...incomplete, output: [item], usage } });
        } else send("response.completed", { response: { ...whole, status: "completed", output: [item], usage } });
        response.end();
      },
    },
    reply,
  );
}
