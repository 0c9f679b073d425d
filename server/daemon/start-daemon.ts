import { setTimeout as delay } from "node:timers/promises";
import type { Hono } from "hono";
import type { SharedContext } from "../../tools/tool-context.ts";
import type { Config } from "../config.ts";
import { ensureConfigFile } from "../default-config.ts";
import type { Log } from "../log.ts";
import { version } from "../version.ts";
import { listenForAgents } from "./agents-socket.ts";
import { type DaemonInfo, removeDaemonInfo, writeDaemonInfo } from "./info.ts";
import { lockHome } from "./lock.ts";
import type { Core } from "./open-core.ts";
import { rejectsWhenOutdated } from "./outdated.ts";
import { preparePrivateFolders } from "./private-files.ts";
import { sharedContext } from "./shared-context.ts";
import { writeLauncher } from "./write-launcher.ts";

/** A daemon that holds its home folder. Disposing it shuts down cleanly, in at most about 20 seconds. */
export type Daemon = AsyncDisposable &
  Readonly<{
    url: string;
    /** Resolves when the store is open and everything runs; rejects where it cannot be. */
    ready: Promise<void>;
    /** Rejects with `store_newer` once a newer program has migrated the database: this one must end. Never resolves. */
    outdated: Promise<never>;
  }>;

/** `jr mcp` knocks every 15 ms while it waits. */
const firstKnockMs = 40;

/**
 * Starts the daemon of a home: lock first, then the agents' door and the one for everybody else, so that hosts get their first answers
 * while the store still opens. Throws `daemon_running`, `invalid_config`.
 */
export async function startDaemon(options: { config: Config; log: Log; env: NodeJS.ProcessEnv }): Promise<Daemon> {
  const { config, log, env } = options;
  const { home } = config;
  const startedAt = new Date();
  const stopping = new AbortController();
  await using stack = new AsyncDisposableStack();

  preparePrivateFolders(home);
  stack.use(lockHome(home));
  let info: DaemonInfo = {
    role: "daemon",
    pid: process.pid,
    started_at: startedAt.toISOString(),
    version,
    socket: home.socket,
    url: "",
    store: config.databaseUrl === null ? "pglite" : "postgres",
  };
  writeDaemonInfo(home, info);
  stack.defer(() => removeDaemonInfo(home));
  ensureConfigFile(home);
  writeLauncher(home, env);

  let core: Core | undefined;
  let api: Hono | undefined;
  let hooks: Pick<Hono, "fetch"> | undefined;
  let problem: string | null = null;
  const outdated = rejectsWhenOutdated(log);
  const opened = Promise.withResolvers<Core>();
  // Whoever waits hears of it; nobody has to.
  opened.promise.catch(() => {});
  const context = async (): Promise<SharedContext> => sharedContext((await opened.promise).deps);

  stack.use(await listenForAgents({ home, context, log: log.child({ part: "mcp" }) }));
  // Before that door closes: by this file bridges tell a daemon that was stopped from one that died.
  stack.defer(() => removeDaemonInfo(home));
  // Most of the program is loaded from here on, and loading lets nobody else have the thread. Whoever has started this daemon knocks in
  // the first moment, and is answered first.
  await delay(firstKnockMs);
  const { openHttpDoor } = await import("./http-door.ts");
  const http = stack.use(
    await openHttpDoor({
      config,
      log,
      context,
      api: () => api,
      metrics: () => (api === undefined ? undefined : core?.metrics),
      hooks: () => hooks,
      problem: () => problem,
    }),
  );
  info = { ...info, url: http.url };
  writeDaemonInfo(home, info);
  log.info({ version, url: http.url, home: home.root }, "daemon: the doors are open");

  const opening = openBehindDoors({
    config,
    log,
    signal: stopping.signal,
    onProblem: (now) => {
      problem = now;
    },
  }).then(
    ({ made, personApi, hooksApp }) => {
      core = made;
      api = personApi(made, startedAt);
      hooks = hooksApp(made.deps, [config.http.host]);
      opened.resolve(made);
      outdated.follow(made.outdated);
      log.info({ store: made.deps.store.kind, ms: Date.now() - startedAt.getTime() }, "daemon: ready");
    },
    (error: unknown) => {
      opened.reject(error);
      throw error;
    },
  );
  opening.catch(() => {});
  // First in the order of shutdown: calls that come now find the doors, which close next.
  stack.defer(async () => {
    log.info("daemon: stopping");
    stopping.abort();
    api = undefined;
    hooks = undefined;
    await opening.catch(() => {});
    await core?.[Symbol.asyncDispose]();
  });

  const owned = stack.move();
  return {
    url: http.url,
    ready: opening,
    outdated: outdated.promise,
    async [Symbol.asyncDispose]() {
      await owned.disposeAsync();
      log.info("daemon: stopped");
    },
  };
}

async function openBehindDoors(options: Parameters<typeof import("./open-core.ts").openCore>[0]) {
  const { openCore } = await import("./open-core.ts");
  const made = await openCore(options);
  const { personApi } = await import("./person-api.ts");
  const { hooksApp } = await import("./hooks.ts");
  return { made, personApi, hooksApp };
}
