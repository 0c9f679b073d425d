import { existsSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { connectDaemon } from "../client.ts";
import { statusAnswer } from "../status-answer.ts";
import { type Check, type Finding, fail, ok, warn } from "./check.ts";

const connectMs = 5_000;

/** A running daemon is asked. Otherwise the embedded store is left alone, and of PostgreSQL only the door is tried. */
export const storeCheck: Check = {
  name: "store",
  async look({ context, config, running }) {
    if (running) {
      const { store, approvals, worker } = await (await connectDaemon(context)).get("/api/status", statusAnswer);
      if (!worker.connected)
        return fail(`${store.kind} does not answer`, "start the database; the daemon tries again by itself");
      if (worker.trouble !== null) return fail(worker.trouble, "mend that; what was accepted goes on by itself");
      if (approvals.problem !== null) return fail(approvals.problem, "jr keys list");
      return ok(`${store.kind}, ${store.version.split(" ").slice(0, 2).join(" ")}; the chain of decisions is whole`);
    }
    if (config === undefined) return warn("not looked at, since the settings are wrong", "correct them first");
    if (config.databaseUrl !== null) return tryServer(new URL(config.databaseUrl));
    const { data } = context.home;
    return existsSync(join(data, "PG_VERSION")) ? ok(`embedded, in ${data}`) : ok("embedded, made at the first start");
  },
};

function tryServer({ hostname, port }: URL): Promise<Finding> {
  const address = `${hostname}:${port || 5432}`;
  return new Promise((resolve) => {
    const socket = createConnection({ host: hostname, port: Number(port || 5432), timeout: connectMs });
    const end = (finding: Finding) => {
      socket.destroy();
      resolve(finding);
    };
    const bad = (why: string) =>
      end(fail(`PostgreSQL at ${address}: ${why}`, "check DATABASE_URL and that the server runs"));
    socket.once("connect", () => end(ok(`PostgreSQL listens at ${address}`)));
    socket.once("timeout", () => bad("no answer"));
    socket.once("error", (error) => bad(error.message));
  });
}
