import { z } from "zod";

/** How an MCP server is reached. Values of `env` and `headers` may hold `${secret:NAME}`, which is put in when it is connected. */
export const mcpServerManifestSchema = z.discriminatedUnion("transport", [
  z.strictObject({
    transport: z.literal("stdio"),
    /** Absolute path. */
    command: z.string(),
    args: z.array(z.string()),
    /** Its whole environment besides PATH, HOME and LANG. */
    env: z.record(z.string(), z.string()),
  }),
  z.strictObject({ transport: z.literal("http"), url: z.string(), headers: z.record(z.string(), z.string()) }),
]);

export type McpServerManifest = Readonly<z.infer<typeof mcpServerManifestSchema>>;

const secretPattern = /\$\{secret:([A-Z][A-Z0-9_]{0,63})\}/g;

/** Names of the secrets that a server gets, sorted. */
export function secretsOf(manifest: McpServerManifest): string[] {
  const values = Object.values(manifest.transport === "stdio" ? manifest.env : manifest.headers);
  const names = values.flatMap((value) => [...value.matchAll(secretPattern)].map(([, name = ""]) => name));
  return [...new Set(names)].sort();
}

/** A text with each `${secret:NAME}` replaced by what `get` gives for it. */
export function fillSecrets(text: string, get: (name: string) => string): string {
  return text.replace(secretPattern, (_, name: string) => get(name));
}
