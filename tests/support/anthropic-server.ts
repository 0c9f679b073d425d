import { z } from "zod";
import { type ApiServer, apiServer, openStream, type Replies, sendEvent } from "./api-server.ts";

const question = z.looseObject({ model: z.string(), stream: z.boolean().default(false) });
const errorTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

/** A stand-in for https://platform.claude.com/docs/en/api/messages as far as Claude Code needs it. */
export function anthropicServer(reply: Replies = () => ({})): Promise<ApiServer> {
  return apiServer(
    {
      asks: ({ method, url = "" }) => method === "POST" && /^\/v1\/messages(\?|$)/.test(url),
      refuse: ({ status, message }) => ({
        type: "error",
        error: { type: errorTypes[status] ?? "api_error", message },
        request_id: "req_1",
      }),
      answer(response, { text, tokens, cut }, body) {
        const { model, stream } = question.parse(body);
        const message = { id: "msg_1", type: "message", role: "assistant", model, stop_sequence: null };
        const usage = { input_tokens: tokens.prompt, output_tokens: tokens.output };
        const stop_reason = cut ? "max_tokens" : "end_turn";
        if (!stream) {
          const whole = { ...message, content: [{ type: "text", text }], stop_reason, usage };
          return void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(whole));
        }
        openStream(response);
        const send = (type: string, rest: object) => sendEvent(response, { type, ...rest }, type);
        const start = { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } };
        send("message_start", { message: start });
        send("content_block_start", { index: 0, content_block: { type: "text", text: "" } });
        send("content_block_delta", { index: 0, delta: { type: "text_delta", text } });
        send("content_block_stop", { index: 0 });
        send("message_delta", { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: tokens.output } });
        send("message_stop", {});
        response.end();
      },
    },
    reply,
  );
}
