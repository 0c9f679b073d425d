import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";

/** What a tool of an MCP server answered, as text for a model. */
export type ToolAnswer = Readonly<{ text: string; isError: boolean }>;

/** A tool's result as text of at most `maxChars`; pictures and sounds are named and left out. */
export function resultText(result: unknown, maxChars: number): ToolAnswer {
  const parsed = CallToolResultSchema.safeParse(result);
  if (!parsed.success) return { text: "The server gave no result that can be read.", isError: true };
  const { content, structuredContent, isError } = parsed.data;
  const parts = content.map((part) => {
    switch (part.type) {
      case "text":
        return part.text;
      case "image":
      case "audio":
        return `[${part.type} ${part.mimeType} left out]`;
      case "resource_link":
        return `[${part.name}: ${part.uri}]`;
      case "resource":
        return "text" in part.resource ? part.resource.text : `[${part.resource.uri} left out: it is no text]`;
      default:
        return part satisfies never;
    }
  });
  const shown = parts.some((part) => part !== "") || structuredContent === undefined;
  const text = shown ? parts.join("\n") : JSON.stringify(structuredContent);
  return { text: cut(text, maxChars), isError: isError === true };
}

/** Beginning and end of a text that is too long, with what is missing between them. */
function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const half = Math.floor(maxChars / 2);
  return `${text.slice(0, half)}\n… ${text.length - 2 * half} characters left out …\n${text.slice(-half)}`.toWellFormed();
}
