import { homedir } from "node:os";
import { dirname } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport, StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js";
import { fillSecrets, type McpServerManifest, secretsOf } from "../../definitions/mcp-server-manifest.ts";
import { createMask } from "../../effects/mask-secrets.ts";
import { grantedSecrets } from "../../effects/placeholders.ts";
import type { SecretValues } from "../../effects/secret-values.ts";
import { messageOf, UserError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { version } from "../../version.ts";
import { childTransport } from "./child-transport.ts";
import { resultText, type ToolAnswer } from "./result-text.ts";
import { serverFetch } from "./server-fetch.ts";

/** A tool of an MCP server. The texts come from the server: they are data, and no instruction. */
export type ToolInfo = Readonly<{
  name: string;
  description: string;
  /** JSON Schema of its arguments. */
  inputSchema: Readonly<Record<string, unknown>>;
}>;

export type McpConnection = AsyncDisposable &
  Readonly<{
    /** Throws `mcp_server_failed`. */
    tools(): Promise<readonly ToolInfo[]>;
    /** Calls a tool. Throws `mcp_server_failed` and the signal's reason; what the tool itself refuses is an answer with `isError`. */
    call(name: string, args: Readonly<Record<string, unknown>>, options: { signal: AbortSignal }): Promise<ToolAnswer>;
    /** Resolves with the reason once the server is gone. */
    ended: Promise<string>;
  }>;

export type ConnectOptions = Readonly<{
  /** As the person named it; for messages. */
  name: string;
  secrets: SecretValues;
  /** Ends waiting for the connection; to end the connection, dispose it. */
  signal: AbortSignal;
  log: Log;
  /** Folder that a child starts in; the person's home folder where none is given. */
  cwd?: string;
  connectMs?: number;
  callMs?: number;
  /** Longest text of one answer. */
  maxChars?: number;
}>;

const maxTools = 500;
const maxPages = 20;
const maxDescription = 4_000;
const maxSchemaChars = 32_000;

/**
 * Connects to an MCP server by its signed manifest: a child with a minimal environment, or Streamable HTTP. Secrets go to the server
 * alone and are masked in whatever comes back. Throws `secret_not_found`, `mcp_server_failed`, and the signal's reason.
 * @public
 */
export async function connectMcpServer(manifest: McpServerManifest, options: ConnectOptions): Promise<McpConnection> {
  const { name, secrets, signal, log, connectMs = 60_000, callMs = 60_000, maxChars = 100_000 } = options;
  signal.throwIfAborted();
  const get = (secret: string) => {
    const value = secrets.get(secret);
    if (value !== undefined) return value;
    throw new UserError(
      "secret_not_found",
      `The MCP server "${name}" needs the secret ${secret}, which has no value.`,
      {
        next: `jr secrets set ${secret}`,
      },
    );
  };
  const mask = createMask(grantedSecrets(name, secretsOf(manifest), secrets)).text;
  const { transport, details } = openTransport(manifest, get, options.cwd ?? homedir());
  const client = new Client({ name: "jobrunner", version }, { capabilities: {} });
  const ended = Promise.withResolvers<string>();
  client.onclose = () => ended.resolve(mask(details() || "the connection was closed"));
  client.onerror = (error) => log.debug({ err: mask(messageOf(error)), server: name }, "mcp client: trouble");

  const failed = (what: string, cause: unknown): UserError => {
    const why = mask([details(), reasonOf(cause)].filter((each) => each !== "").join("; "));
    return new UserError("mcp_server_failed", `The MCP server "${name}" ${what}: ${why.slice(0, 1_500)}`, {
      next: `jr mcp-server check ${name}`,
      cause,
    });
  };
  /** Requests end with the connection, with the time and with the caller's signal, whichever comes first. */
  const ask = async <T>(what: string, work: () => Promise<T>, caller: AbortSignal): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      caller.throwIfAborted();
      if (thrown instanceof McpError && thrown.code === ErrorCode.RequestTimeout)
        throw failed(`did not answer in time (${what})`, "no answer");
      throw failed(`failed (${what})`, thrown);
    }
  };

  try {
    await ask("connecting", () => client.connect(transport, { signal, timeout: connectMs }), signal);
  } catch (thrown) {
    await client.close().catch(() => {});
    await transport.close().catch(() => {});
    throw thrown;
  }

  return {
    ended: ended.promise,
    async tools() {
      const found: ToolInfo[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < maxPages && found.length < maxTools; page++) {
        const params = cursor === undefined ? {} : { cursor };
        const never = new AbortController().signal;
        const listed = await ask("listing its tools", () => client.listTools(params, { timeout: callMs }), never);
        found.push(
          ...listed.tools.flatMap(({ name: tool, description = "", inputSchema }) =>
            toolInfo(tool, mask(description), inputSchema),
          ),
        );
        cursor = listed.nextCursor;
        if (cursor === undefined) break;
      }
      return found.slice(0, maxTools);
    },
    async call(tool, args, { signal: caller }) {
      caller.throwIfAborted();
      const request = { name: tool, arguments: { ...args } };
      const limits = { signal: caller, timeout: callMs, resetTimeoutOnProgress: true, maxTotalTimeout: 10 * callMs };
      const { text, isError } = resultText(
        await ask(`calling ${tool}`, () => client.callTool(request, undefined, limits), caller),
        maxChars,
      );
      return { text: mask(text), isError };
    },
    async [Symbol.asyncDispose]() {
      await client.close().catch(() => {});
      await transport.close().catch(() => {});
    },
  };
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof StreamableHTTPError) || cause.code === undefined || cause.code < 100) return messageOf(cause);
  const refused = cause.code === 401 || cause.code === 403 ? ", so look at its headers and their secrets" : "";
  return `it answered with HTTP ${cause.code}${refused} (${cause.message.replace("Streamable HTTP error: ", "")})`;
}

type Opened = Readonly<{ transport: Transport; details: () => string }>;

function openTransport(manifest: McpServerManifest, get: (secret: string) => string, cwd: string): Opened {
  const filled = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fillSecrets(value, get)]));
  switch (manifest.transport) {
    case "stdio": {
      const { command, args } = manifest;
      // Its own folder first: a script that npm or a version manager installed finds the node beside it.
      const path = `${dirname(command)}:/usr/local/bin:/usr/bin:/bin`;
      const env = { PATH: path, HOME: homedir(), LANG: "C.UTF-8", ...filled(manifest.env) };
      const transport = childTransport({ command, args, env, cwd });
      return {
        transport,
        details: () => [transport.ended() ?? "", transport.stderr()].filter((each) => each !== "").join("; it said: "),
      };
    }
    case "http": {
      const requestInit = { headers: filled(manifest.headers) };
      const transport = new StreamableHTTPClientTransport(new URL(manifest.url), { requestInit, fetch: serverFetch });
      return { transport, details: () => "" };
    }
    default:
      return manifest satisfies never;
  }
}

function toolInfo(name: string, description: string, inputSchema: Readonly<Record<string, unknown>>): ToolInfo[] {
  // A name that no model could call, or a schema that would fill its window, is no tool for an agent.
  if (!/^[A-Za-z0-9_.:/-]{1,128}$/.test(name) || JSON.stringify(inputSchema).length > maxSchemaChars) return [];
  return [{ name, description: description.slice(0, maxDescription).toWellFormed(), inputSchema }];
}
