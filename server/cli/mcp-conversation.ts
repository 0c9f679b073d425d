/*
 * What a bridge remembers of the conversation that it carries, so that it can go on with another daemon: the host's
 * `initialize`, and which requests are still to be answered. It reads JSON-RPC lines and writes some of its own; no SDK.
 */

type Message = Readonly<{ id?: unknown; method?: unknown; params?: unknown; result?: unknown; error?: unknown }>;

export type Conversation = Readonly<{
  /** Notes a line of the host. */
  fromHost(line: string): void;
  /** Notes a line of the daemon; false for what the host must not see, as the answer to what `opening` repeated. */
  fromDaemon(line: string): boolean;
  /** Whether the host has been welcomed; before that there is nothing to go on with. */
  begun(): boolean;
  /** What a new daemon has to be told first. */
  opening(): readonly string[];
  /** One answer for each request that will get none any more. */
  failWaiting(why: string): readonly string[];
}>;

/** An empty conversation. */
export function createConversation(): Conversation {
  let initialize: string | undefined;
  let initialized: string | undefined;
  let initializeId: unknown;
  let welcomed = false;
  let repeated = false;
  /** Requests without an answer: their id as JSON, and what they call. */
  const waiting = new Map<string, string>();

  return {
    fromHost(line) {
      const { id, method, params } = read(line);
      if (typeof method !== "string") return;
      if (id !== undefined) waiting.set(JSON.stringify(id), method);
      if (method === "initialize" && id !== undefined) {
        initialize = line;
        initializeId = id;
      } else if (method === "notifications/initialized") initialized = line;
      else if (method === "notifications/cancelled") waiting.delete(JSON.stringify(cancelledId(params)));
    },
    fromDaemon(line) {
      const { id, method } = read(line);
      if (id === undefined || typeof method === "string") return true;
      if (repeated && JSON.stringify(id) === JSON.stringify(initializeId)) {
        repeated = false;
        return false;
      }
      waiting.delete(JSON.stringify(id));
      if (JSON.stringify(id) === JSON.stringify(initializeId)) welcomed = true;
      return true;
    },
    begun: () => welcomed,
    opening() {
      repeated = true;
      return [initialize, initialized].filter((line) => line !== undefined);
    },
    failWaiting(why) {
      const answers = Array.from(waiting, ([id, method]) => failure(id, method, why));
      waiting.clear();
      return answers;
    },
  };
}

/** A failed call of a tool is a result, which models read; anything else fails as JSON-RPC does. */
function failure(id: string, method: string, why: string): string {
  const outcome =
    method === "tools/call"
      ? { result: { content: [{ type: "text", text: why }], isError: true } }
      : { error: { code: -32000, message: why } };
  return JSON.stringify({ jsonrpc: "2.0", id: JSON.parse(id), ...outcome });
}

function cancelledId(params: unknown): unknown {
  return typeof params === "object" && params !== null && "requestId" in params ? params.requestId : undefined;
}

/** What is no JSON object says nothing; the daemon answers it. */
function read(line: string): Message {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
