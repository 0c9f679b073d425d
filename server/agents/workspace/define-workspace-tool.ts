import { z } from "zod";
import type { RoleManifest } from "../../definitions/role-manifest.ts";
import type { CommandEnd, CommandOrder } from "../../definitions/run-signed-command.ts";
import type { EffectContext } from "../../effects/define-effect.ts";
import { UserError } from "../../errors.ts";
import type { JsonSchema, ToolOffer } from "../providers/types.ts";

/** What an agent's own tools work with. What it may touch stands in the manifest within `effects`, made of its signed role. */
export type WorkspaceContext = Readonly<{
  effects: EffectContext;
  role: RoleManifest;
  /** The folder that relative paths count from; null where it has none. */
  folder: string | null;
  /** Files by path of each skill that its role names. */
  skills: ReadonlyMap<string, ReadonlyMap<string, string>>;
  runCommand(order: CommandOrder): Promise<CommandEnd>;
  /** Most characters of one result. */
  maxChars: number;
  signal: AbortSignal;
}>;

/** A tool of agents that is none of MCP. It throws UserError for what the model can do otherwise. */
export type WorkspaceTool = Readonly<{
  offer: ToolOffer;
  call(context: WorkspaceContext, args: unknown): Promise<string>;
}>;

/** Makes a tool of a zod object and of what it does with the parsed arguments. */
export function defineWorkspaceTool<Shape extends z.ZodRawShape>(definition: {
  name: string;
  description: string;
  input: z.ZodObject<Shape, z.core.$strict>;
  perform(context: WorkspaceContext, args: z.output<z.ZodObject<Shape, z.core.$strict>>): Promise<string>;
}): WorkspaceTool {
  const { name, description, input, perform } = definition;
  return {
    offer: { name, description, inputSchema: publishedSchema(input) },
    async call(context, args) {
      const parsed = input.safeParse(args);
      if (!parsed.success) {
        const names = Object.keys(input.shape).join(", ");
        throw new UserError("invalid_argument", `${z.prettifyError(parsed.error)}\n${name} takes: ${names}.`);
      }
      return perform(context, parsed.data);
    },
  };
}

function publishedSchema(input: z.ZodType): JsonSchema {
  const { $schema: _, ...schema } = z.toJSONSchema(input, { io: "input" });
  return schema;
}
