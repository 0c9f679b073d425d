import type { Definition } from "../../definitions/definition.ts";
import type { SecretValues } from "../../effects/secret-values.ts";
import { messageOf, UserError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import { connectMcpServer, type McpConnection, type ToolInfo } from "./connect-mcp-server.ts";
import type { ToolAnswer } from "./result-text.ts";

/** How a server stands. */
export type ServerHealth = Readonly<{
  name: string;
  version: number;
  state: "starting" | "up" | "down";
  /** Why it is down. */
  problem: string | null;
  /** How often in a row it could not be started or died soon. */
  failures: number;
}>;

/** MCP servers that agents share: each is started when it is first used and kept alive. Disposing it ends them all. */
export type McpRegistry = AsyncDisposable &
  Readonly<{
    /**
     * The tools of a server that are on the list. Whether the server is signed is asked at every call; one of another version takes the
     * place of the one that runs. Throws what `require` throws, and `mcp_server_failed`.
     */
    tools(server: string, allowed: readonly string[]): Promise<readonly ToolInfo[]>;
    /** Calls a tool that is on the list. Throws as `tools` does, `permission_denied`, and the signal's reason. */
    call(order: McpCall): Promise<ToolAnswer>;
    health(): readonly ServerHealth[];
  }>;

export type McpCall = Readonly<{
  server: string;
  tool: string;
  args: Readonly<Record<string, unknown>>;
  /** Tools of that server that the role names. */
  allowed: readonly string[];
  signal: AbortSignal;
}>;

type Options = Readonly<{
  /** The signed definition of a server; throws where there is none that counts. */
  require: (name: string) => Promise<Definition<"mcp_server">>;
  secrets: () => SecretValues;
  log: Log;
  /** Pause before the first restart; it doubles with each failure, up to `longestPauseMs`. */
  firstPauseMs?: number;
  longestPauseMs?: number;
  /** One that lived this long starts anew with the first pause. */
  steadyMs?: number;
  connect?: typeof connectMcpServer;
}>;

type Entry = {
  version: number;
  state: ServerHealth["state"];
  connection: Promise<McpConnection>;
  failures: number;
  problem: string | null;
  restartAtMs: number;
  timer: NodeJS.Timeout | undefined;
};

/**
 * Keeps MCP servers running for whoever calls their tools. A server that dies is named with its reason, and started again after a pause.
 * @public
 */
export function createMcpRegistry(options: Options): McpRegistry {
  const { require, secrets, log, connect = connectMcpServer } = options;
  const { firstPauseMs = 1_000, longestPauseMs = 60_000, steadyMs = 60_000 } = options;
  const entries = new Map<string, Entry>();
  const closing = new AbortController();

  const open = (name: string, { version, manifest }: Definition<"mcp_server">, failures: number): Entry => {
    const startedMs = performance.now();
    const entry: Entry = {
      version,
      state: "starting",
      failures,
      problem: null,
      restartAtMs: 0,
      timer: undefined,
      connection: connect(manifest, { name, secrets: secrets(), signal: closing.signal, log }),
    };
    const isCurrent = () => entries.get(name) === entry && !closing.signal.aborted;
    const fail = (why: string) => {
      if (!isCurrent()) return;
      entry.state = "down";
      entry.problem = why;
      entry.failures = performance.now() - startedMs > steadyMs ? 1 : failures + 1;
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (entry.failures - 1));
      entry.restartAtMs = performance.now() + pauseMs;
      log.warn({ server: name, problem: why, pauseMs }, "an MCP server is down");
      entry.timer = setTimeout(() => void restart(name, entry), pauseMs);
    };
    entry.connection.then(
      (connection) => {
        if (isCurrent()) entry.state = "up";
        void connection.ended.then(fail);
      },
      (error: unknown) => fail(messageOf(error)),
    );
    entries.set(name, entry);
    return entry;
  };

  /** A server that is no longer signed stays down. */
  const restart = async (name: string, before: Entry) => {
    try {
      const definition = await require(name);
      if (entries.get(name) === before && !closing.signal.aborted) open(name, definition, before.failures);
    } catch (error) {
      if (entries.get(name) === before) before.problem = messageOf(error);
    }
  };

  const close = async (entry: Entry) => {
    clearTimeout(entry.timer);
    const connection = await entry.connection.catch(() => undefined);
    await connection?.[Symbol.asyncDispose]();
  };

  const use = async (name: string): Promise<McpConnection> => {
    if (closing.signal.aborted) throw new UserError("mcp_server_failed", "MCP servers are being ended.");
    let definition: Definition<"mcp_server">;
    try {
      definition = await require(name);
    } catch (error) {
      // Revoked or gone: what still runs of it ends.
      const entry = entries.get(name);
      entries.delete(name);
      if (entry !== undefined) await close(entry);
      throw error;
    }
    const entry = entries.get(name);
    if (entry !== undefined && entry.version === definition.version) {
      if (entry.state !== "down") return entry.connection;
      const waitMs = entry.restartAtMs - performance.now();
      if (waitMs > 0) throw isDown(name, entry, waitMs);
      return open(name, definition, entry.failures).connection;
    }
    const opened = open(name, definition, 0);
    if (entry !== undefined) await close(entry);
    return opened.connection;
  };

  return {
    async tools(server, allowed) {
      const found = await (await use(server)).tools();
      return found.filter(({ name }) => allowed.includes(name));
    },
    async call({ server, tool, args, allowed, signal }) {
      if (!allowed.includes(tool)) {
        const known = allowed.join(", ") || "none";
        throw new UserError("permission_denied", `The tool "${tool}" of the MCP server "${server}" is not granted.`, {
          next: `granted: ${known}`,
        });
      }
      return (await use(server)).call(tool, args, { signal });
    },
    health: () =>
      [...entries].map(([name, { version, state, problem, failures }]) => ({
        name,
        version,
        state,
        problem,
        failures,
      })),
    async [Symbol.asyncDispose]() {
      closing.abort(new UserError("mcp_server_failed", "MCP servers are being ended."));
      await Promise.all([...entries.values()].map(close));
      entries.clear();
    },
  };
}

function isDown(name: string, { failures, problem }: Entry, waitMs: number): UserError {
  const times = failures === 1 ? "" : `, ${failures} times in a row`;
  return new UserError(
    "mcp_server_failed",
    `The MCP server "${name}" is down${times} (${(problem ?? "no reason given").slice(0, 800)}); it is started again in ${Math.ceil(waitMs / 1000)} s.`,
    { next: `go on without it, or look at it: jr mcp-server check ${name}` },
  );
}
