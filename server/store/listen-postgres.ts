import pg from "pg";
import type { Log } from "../log.ts";
import { connectionSettings } from "./open-postgres.ts";

/** Hears NOTIFY over a connection of its own, which is made anew whenever it is lost. */
export type Listener = Readonly<{
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}>;

const reconnectMs = 1_000;

/** Connects at the first `listen`. While disconnected, notifications are lost: whoever listens must also poll. */
export function listenPostgres(databaseUrl: string, log: Log): Listener {
  const callbacks = new Map<string, Set<(payload: string) => void>>();
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  async function connect(): Promise<void> {
    const next = new pg.Client(connectionSettings(databaseUrl));
    next.on("error", () => {});
    next.on("end", () => {
      if (client === next) client = undefined;
      scheduleReconnect();
    });
    next.on("notification", ({ channel, payload }) => {
      for (const callback of callbacks.get(channel) ?? []) callback(payload ?? "");
    });
    await next.connect();
    client = next;
    for (const channel of callbacks.keys()) await next.query(`listen ${next.escapeIdentifier(channel)}`);
  }

  function scheduleReconnect(): void {
    if (closed || retry) return;
    retry = setTimeout(() => {
      retry = undefined;
      connect().catch((error) => {
        log.debug({ err: error }, "listening for notifications: not connected yet");
        scheduleReconnect();
      });
    }, reconnectMs);
  }

  return {
    async listen(channel, onNotify) {
      const known = callbacks.get(channel) ?? new Set();
      callbacks.set(channel, known.add(onNotify));
      if (client) await client.query(`listen ${client.escapeIdentifier(channel)}`);
      else if (!retry) await connect().catch(scheduleReconnect);
      return async () => {
        known.delete(onNotify);
      };
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      await client?.end();
    },
  };
}
