import type { Duplex } from "node:stream";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CancelledNotificationSchema,
  type JSONRPCMessage,
  JSONRPCMessageSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { Log } from "../log.ts";
import { splitLines } from "../split-lines.ts";

/** Largest message in bytes, either way. */
export const maxMessageBytes = 8 * 1024 * 1024;

/** A host that closed its side, or vanished behind the bridge, gets so long for its last answers; then its calls are aborted. */
const graceMs = 2_000;

/**
 * Newline-delimited JSON-RPC on a stream. What cannot be read is answered with a JSON-RPC error and the connection lives on:
 * one bad line must not take a host's session away.
 */
export function lineTransport(stream: Duplex, log: Log): Transport {
  const write = (message: unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!stream.writable) return resolve();
      stream.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()));
    });
  const refuse = (code: number, message: string) => {
    log.warn({ code }, `mcp: ${message}`);
    // Written by hand: the SDK's own type wants an id, and a message that could not be read has none to give.
    write({ jsonrpc: "2.0", id: null, error: { code, message } }).catch(() => undefined);
  };

  // Requests without an answer yet: a host that has closed its side (as a pipe in a shell does) still gets what is under way.
  const waiting = new Set<string | number>();
  let ended = false;
  let grace: NodeJS.Timeout | undefined;
  const receive = (message: JSONRPCMessage) => {
    if ("method" in message && "id" in message) waiting.add(message.id);
    // A cancelled request is never answered.
    const cancelled = CancelledNotificationSchema.safeParse(message).data?.params.requestId;
    if (cancelled !== undefined) waiting.delete(cancelled);
    transport.onmessage?.(message);
  };
  const endGracefully = () => {
    ended = true;
    if (waiting.size === 0) stream.end();
    else grace = setTimeout(() => stream.destroy(), graceMs);
  };

  const transport: Transport = {
    async start() {
      const feed = splitLines({
        maxBytes: maxMessageBytes,
        onLine: (line) => {
          const message = readMessage(line);
          if (typeof message === "string") refuse(-32700, message);
          else if (message === undefined) refuse(-32600, "Not a JSON-RPC 2.0 request, notification or response.");
          else receive(message);
        },
        onTooLong: () =>
          refuse(
            -32600,
            `The message is larger than ${maxMessageBytes / 1024 / 1024} MiB, which is the limit, and was dropped.`,
          ),
      });
      stream.on("data", feed);
      stream.on("error", (error) => transport.onerror?.(error));
      stream.once("end", endGracefully);
      stream.once("close", () => {
        clearTimeout(grace);
        transport.onclose?.();
      });
      if (stream.destroyed) transport.onclose?.();
    },
    async send(message) {
      await write(message);
      if (!("method" in message) && message.id !== undefined) waiting.delete(message.id);
      if (ended && waiting.size === 0) stream.end();
    },
    async close() {
      stream.destroy();
    },
  };
  return transport;
}

/** The message; undefined where it is JSON but no JSON-RPC; text that says why where it is no JSON. */
function readMessage(line: string): JSONRPCMessage | string | undefined {
  try {
    return JSONRPCMessageSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return "The line is not valid JSON.";
  }
}
