import type { JsonSchema, ToolOffer } from "../providers/types.ts";
import type { Brief } from "./brief.ts";
import type { Answer, Conversation } from "./conversation.ts";

export const answerTool = "answer";

/** The tool by which a model gives its final answer; some do that more surely than by plain text. */
export function offerAnswer(schema: JsonSchema | null): ToolOffer {
  const inputSchema = isObject(schema)
    ? schema
    : {
        type: "object",
        properties: { answer: schema ?? { type: "string" } },
        required: ["answer"],
        additionalProperties: false,
      };
  return { name: answerTool, description: "Gives your final answer and ends your work.", inputSchema };
}

/** The answer that waits to be judged: the text of a turn without calls, or a call of the tool once all other calls are done. */
export function findAnswer({ schema }: Pick<Brief, "schema">, { answer, pending }: Conversation): Answer | null {
  if (answer !== null) return answer;
  const call = pending.at(0);
  if (call === undefined || pending.some(({ name }) => name !== answerTool)) return null;
  const value = isObject(schema) ? call.arguments : call.arguments.answer;
  return { text: typeof value === "string" ? value : JSON.stringify(value ?? null), callId: call.id };
}

function isObject(schema: JsonSchema | null): schema is JsonSchema {
  return schema !== null && (schema.type === "object" || "properties" in schema);
}
