import { Hono } from "hono";
import { streamStore } from "../../backup/store-stream.ts";
import type { DaemonDeps } from "../deps.ts";

/** Every row of the store, for `jr backup`. What is a file of the home, keys and secrets above all, never goes through this door. */
export function backupApi({ store, config, log }: Pick<DaemonDeps, "store" | "config" | "log">): Hono {
  return new Hono().get("/api/backup/store", (c) => {
    log.info("backup: the store is read");
    const bytes = ReadableStream.from(streamStore(store.db, config.home.cache));
    return c.body(bytes, 200, { "content-type": "application/x-tar", "x-jobrunner-store": store.kind });
  });
}
