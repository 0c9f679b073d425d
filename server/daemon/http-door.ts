import type { SharedContext } from "../../tools/tool-context.ts";
import type { Config } from "../config.ts";
import type { Log } from "../log.ts";
import { mcpRoutes } from "../mcp/http.ts";
import { createHttpApp, type HttpDeps } from "./http-app.ts";
import { type HttpListener, listenHttp } from "./listen-http.ts";
import { ensureToken } from "./private-files.ts";

type Deps = Readonly<{ config: Config; log: Log; context: () => Promise<SharedContext> }> &
  Pick<HttpDeps, "api" | "metrics" | "hooks" | "problem">;

/** Opens the door of the console, of commands, and of hosts that come by HTTP where that is enabled. Throws `invalid_config`. */
export async function openHttpDoor({ config, log, context, ...answers }: Deps): Promise<HttpListener> {
  const { home, http } = config;
  await using stack = new AsyncDisposableStack();
  const mcp = stack.use(
    mcpRoutes({
      context,
      token: ensureToken(home.mcpToken),
      log: log.child({ part: "mcp" }),
      clock: () => new Date(),
      hosts: [http.host],
    }),
  );
  const app = createHttpApp({
    token: ensureToken(home.personToken),
    metricsToken: ensureToken(home.metricsToken),
    hosts: [http.host],
    mcp: http.enabled ? mcp.app : undefined,
    log: log.child({ part: "http" }),
    ...answers,
  });
  const listener = stack.use(await listenHttp({ app, http, log }));
  const owned = stack.move();
  return { url: listener.url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
