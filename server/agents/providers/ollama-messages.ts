import type { Message, ChatRequest as OllamaRequest, Tool } from "ollama";
import { z } from "zod";
import type { ChatMessage, ChatRequest, JsonSchema, ToolOffer } from "./types.ts";

type Parameters = NonNullable<Tool["function"]["parameters"]>;
/** The package's type of a schema knows only some of what the server takes. */
const parameters = z.custom<Parameters>((value) => typeof value === "object" && value !== null);

/**
 * A request in the form of https://docs.ollama.com/api/chat. A grammar for the answer would keep the model from calling tools,
 * so where there are some the schema is told in words.
 */
export function ollamaRequest(
  request: ChatRequest,
  model: string,
  keepAlive: string,
): OllamaRequest & { stream: true } {
  const { messages, tools, schema, temperature, seed, maxOutputTokens, contextTokens } = request;
  return {
    model,
    messages: (tools.length > 0 && schema !== null ? withHint(messages, schema) : messages).map(ollamaMessage),
    stream: true,
    keep_alive: keepAlive,
    ...(tools.length === 0 ? {} : { tools: tools.map(ollamaTool) }),
    ...(schema === null || tools.length > 0 ? {} : { format: schema }),
    options: {
      ...(temperature === null ? {} : { temperature }),
      ...(seed === null ? {} : { seed }),
      ...(maxOutputTokens === null ? {} : { num_predict: maxOutputTokens }),
      ...(contextTokens === null ? {} : { num_ctx: contextTokens }),
    },
  };
}

function ollamaMessage(message: ChatMessage): Message {
  switch (message.role) {
    case "assistant": {
      const { role, content, toolCalls } = message;
      if (toolCalls.length === 0) return { role, content };
      const calls = toolCalls.map((call) => ({ function: { name: call.name, arguments: { ...call.arguments } } }));
      return { role, content, tool_calls: calls };
    }
    case "tool":
      return { role: "tool", content: message.content, tool_name: message.name };
    case "system":
    case "user":
      return { role: message.role, content: message.content };
    default:
      return message satisfies never;
  }
}

function ollamaTool({ name, description, inputSchema }: ToolOffer): Tool {
  return { type: "function", function: { name, description, parameters: parameters.parse(inputSchema) } };
}

function withHint(messages: readonly ChatMessage[], schema: JsonSchema): readonly ChatMessage[] {
  const hint = `Your final answer, once you call no more tools, is JSON alone that fits this JSON Schema: ${JSON.stringify(schema)}`;
  const [first, ...others] = messages;
  if (first?.role !== "system") return [{ role: "system", content: hint }, ...messages];
  return [{ role: "system", content: `${first.content}\n\n${hint}` }, ...others];
}
