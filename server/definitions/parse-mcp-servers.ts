import { isAbsolute } from "node:path";
import { z } from "zod";
import { findProgram } from "../find-program.ts";
import { type Diagnostic, problem } from "../jobs/diagnostic.ts";
import { findNameProblem } from "./definition-name.ts";
import { failed, type Parsed, parseYaml } from "./definition-text.ts";
import type { McpServerManifest } from "./mcp-server-manifest.ts";

const texts = z.record(z.string(), z.string("must be a text"));
/** Keys that other hosts' files have, and that mean nothing here: roles say which tools may be called. */
const foreign = {
  disabled: z.boolean().optional(),
  name: z.unknown().optional(),
  description: z.unknown().optional(),
  timeout: z.unknown().optional(),
  trust: z.unknown().optional(),
  autoApprove: z.unknown().optional(),
  alwaysAllow: z.unknown().optional(),
  includeTools: z.unknown().optional(),
  excludeTools: z.unknown().optional(),
};
const entry = z.strictObject({
  type: z.enum(["stdio", "http", "streamable-http"], 'must be "stdio" or "http"').optional(),
  command: z.string().min(1).max(4_096).optional(),
  args: z.array(z.string().max(32_000)).max(200).default([]),
  env: texts.default({}),
  url: z.string().max(4_096).optional(),
  headers: texts.default({}),
  ...foreign,
});
/** Other parts of a host's file are passed over. */
const file = z.looseObject({ mcpServers: z.record(z.string(), entry).default({}) });

type Entry = z.infer<typeof entry>;
export type FoundServer = Readonly<{ name: string; source: string; manifest: McpServerManifest }>;

/** Where a value that opens doors usually stands. */
const secretKey =
  /(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY)$|^(?:proxy-)?authorization$|^x-api-key$|^cookie$/i;

/**
 * Reads the usual `mcpServers` JSON. Programs that are named without their path are looked for on the PATH of `env`, since what is
 * signed must be what is started. One server's mistake leaves the others as they are.
 */
export function parseMcpServers(
  text: string,
  path: string,
  env: NodeJS.ProcessEnv,
): Readonly<{ servers: readonly FoundServer[]; names: readonly string[]; problems: readonly Diagnostic[] }> {
  const json = parseJson(text, path);
  if (!json.ok) return { servers: [], names: [], problems: json.problems };
  const parsed = parseYaml(text, file, { file: path, noun: "key" });
  if (!parsed.ok) return { servers: [], names: [], problems: parsed.problems };
  const { data, lineOf } = parsed.value;
  const problems: Diagnostic[] = [];
  const servers = Object.entries(data.mcpServers).flatMap(([name, declared]): FoundServer[] => {
    if (declared.disabled === true) return [];
    const add = (message: string, hint: string | null, ...below: string[]) =>
      problems.push(problem(path, `${name}: ${message}`, hint, { line: lineOf("mcpServers", name, ...below) }));
    const before = problems.length;
    const wrongName = findNameProblem("mcp_server", name);
    if (wrongName !== undefined) add(wrongName, "rename it");
    const manifest = freeze(declared, env, add);
    if (manifest === undefined || problems.length > before) return [];
    const { disabled: _, ...kept } = declared;
    return [{ name, manifest, source: `${JSON.stringify(kept, null, 2)}\n` }];
  });
  return { servers, names: Object.keys(data.mcpServers), problems };
}

type Add = (message: string, hint: string | null, ...below: string[]) => void;

function freeze(declared: Entry, env: NodeJS.ProcessEnv, add: Add): McpServerManifest | undefined {
  const { type, command, args, url } = declared;
  if (command !== undefined && url !== undefined) {
    add("it has both a command and a url", "keep one of them");
    return undefined;
  }
  if (command !== undefined && type !== "http" && type !== "streamable-http") {
    const program = isAbsolute(command) ? command : findProgram(env, command);
    if (program === undefined) {
      add(`there is no program ${JSON.stringify(command)} on the daemon's PATH`, "write its whole path", "command");
      return undefined;
    }
    for (const arg of args)
      if (/\$\{/.test(arg))
        add(
          `the argument ${JSON.stringify(arg.slice(0, 80))} holds \${…}`,
          "secrets go into env: others can read arguments",
          "args",
        );
    return { transport: "stdio", command: program, args, env: checkValues(declared.env, "env", add) };
  }
  if (url !== undefined && type !== "stdio") {
    const parsed = URL.parse(url);
    if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
      add(`${JSON.stringify(url.slice(0, 100))} is no http or https address`, null, "url");
      return undefined;
    }
    if (parsed.username !== "" || parsed.password !== "" || url.includes("${"))
      add("its url holds a secret", "put it into headers as ${secret:NAME}", "url");
    return { transport: "http", url, headers: checkValues(declared.headers, "headers", add) };
  }
  add("it needs a command (stdio) or a url (http)", null);
  return undefined;
}

function checkValues(values: Readonly<Record<string, string>>, place: string, add: Add): Record<string, string> {
  for (const [key, value] of Object.entries(values)) {
    const rest = value.replace(/\$\{secret:[A-Z][A-Z0-9_]{0,63}\}/g, "");
    if (rest.includes("${"))
      add(
        `${key} holds a \${…} that is not known`,
        "only ${secret:NAME} is filled in; jr secrets set NAME",
        place,
        key,
      );
    else if (rest === value && value.length > 0 && secretKey.test(key)) {
      const name = key.toUpperCase().replace(/[^A-Z0-9]/g, "_");
      add(`${key} stands there in the open`, `jr secrets set ${name}, and write "\${secret:${name}}" here`, place, key);
    }
  }
  return { ...values };
}

/** JSON first, in its own words: YAML would take more, and name a place less well. */
function parseJson(text: string, path: string): Parsed<unknown> {
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : "no reason given";
    const line = Number(/line (\d+)/.exec(message)?.[1] ?? lineOfPosition(text, message));
    return failed(problem(path, `this is not JSON: ${message}`, null, { line }));
  }
}

function lineOfPosition(text: string, message: string): number {
  const position = Number(/position (\d+)/.exec(message)?.[1] ?? 0);
  return text.slice(0, position).split("\n").length;
}
