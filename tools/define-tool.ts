import { z } from "zod";
import { parseArguments } from "./parse-arguments.ts";
import type { ToolContext } from "./tool-context.ts";

/** All four hints are required: a missing hint is a silent gap that each host fills in its own way. */
export type ToolAnnotations = Readonly<{
  readOnlyHint: boolean;
  destructiveHint: boolean;
  idempotentHint: boolean;
  openWorldHint: boolean;
}>;

/** A tool as the server sees it: what `tools/list` shows, and a call that parses its own arguments. */
export type Tool = Readonly<{
  name: string;
  title: string;
  description: string;
  annotations: ToolAnnotations;
  /** JSON Schema of the arguments, an object that allows no others. */
  inputSchema: Readonly<Record<string, unknown>>;
  /** Compact Markdown, complete in itself. Throws UserError, `invalid_argument` first of all. */
  call(context: ToolContext, args: unknown): Promise<string>;
}>;

/** Makes a tool of a zod object and a handler that gets the parsed arguments. Errors bubble to the MCP boundary. */
export function defineTool<Shape extends z.ZodRawShape>(definition: {
  name: string;
  title: string;
  description: string;
  annotations: ToolAnnotations;
  input: z.ZodObject<Shape, z.core.$strict>;
  handle(context: ToolContext, args: z.output<z.ZodObject<Shape, z.core.$strict>>): Promise<string>;
}): Tool {
  const { name, title, description, annotations, input, handle } = definition;
  return {
    name,
    title,
    description,
    annotations,
    inputSchema: publishedSchema(input),
    call: async (context, args) => handle(context, parseArguments(name, input, args)),
  };
}

/** `$schema` and the bounds that zod adds to every integer say nothing to a model and cost tokens in each conversation. */
function publishedSchema(input: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(input, {
    io: "input",
    override: ({ jsonSchema }) => {
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.propertyNames !== undefined) delete jsonSchema.propertyNames;
    },
  });
  return schema;
}
