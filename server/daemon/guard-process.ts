import { randomUUID } from "node:crypto";
import type { Log } from "../log.ts";

/**
 * Keeps a stray error from ending the process: it is logged with an id and the daemon goes on, since what it was about (a
 * connection, a full disk) is worth less than the runs under way. Disposing it stops that.
 */
export function guardProcess(log: Log): Disposable {
  const note = (what: string) => (error: unknown) => {
    log.error({ err: error, id: randomUUID().slice(0, 8) }, `${what}: a bug, or a machine in trouble; going on`);
  };
  const onException = note("uncaught error");
  const onRejection = note("unhandled rejection");
  process.on("uncaughtException", onException);
  process.on("unhandledRejection", onRejection);
  return {
    [Symbol.dispose]() {
      process.off("uncaughtException", onException);
      process.off("unhandledRejection", onRejection);
    },
  };
}
