import { Hono } from "hono";
import type { SharedContext } from "../../tools/tool-context.ts";
import type { Config } from "../config.ts";
import { ensureConfigFile } from "../default-config.ts";
import type { Log } from "../log.ts";
import { mcpRoutes } from "../mcp/http.ts";
import { personCommand } from "../person-command.ts";
import { version } from "../version.ts";
import { listenForAgents } from "./agents-socket.ts";
import { backupApi } from "./api/backup.ts";
import { deadLettersApi } from "./api/dead-letters.ts";
import { jobsApi } from "./api/jobs.ts";
import { metricsApi } from "./api/metrics.ts";
import { questionsApi } from "./api/questions.ts";
import { rehearsalApi } from "./api/rehearsal.ts";
import { reviewApi } from "./api/review.ts";
import { runsApi } from "./api/runs.ts";
import { statusApi } from "./api/status.ts";
import { webhooksApi } from "./api/webhooks.ts";
import { workersApi } from "./api/workers.ts";
import { hooksApp } from "./hooks.ts";
import { createHttpApp } from "./http-app.ts";
import { errorAnswer } from "./http-errors.ts";
import { type DaemonInfo, removeDaemonInfo, writeDaemonInfo } from "./info.ts";
import { listenHttp } from "./listen-http.ts";
import { lockHome } from "./lock.ts";
import { type Core, openCore } from "./open-core.ts";
import { rejectsWhenOutdated } from "./outdated.ts";
import { ensureToken, preparePrivateFolders } from "./private-files.ts";
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

/**
 * Starts the daemon of a home: lock first, then the doors, so that hosts get their first answers while the store still opens.
 * Throws `daemon_running`, `invalid_config`.
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
  let hooks: Hono | undefined;
  let problem: string | null = null;
  const outdated = rejectsWhenOutdated(log);
  const opened = Promise.withResolvers<Core>();
  // Whoever waits hears of it; nobody has to.
  opened.promise.catch(() => {});
  const context = async (): Promise<SharedContext> => sharedContext(await opened.promise);

  stack.use(await listenForAgents({ home, context, log: log.child({ part: "mcp" }) }));
  const mcp = stack.use(
    mcpRoutes({
      context,
      token: ensureToken(home.mcpToken),
      log: log.child({ part: "mcp" }),
      clock: () => new Date(),
      hosts: [config.http.host],
    }),
  );
  const app = createHttpApp({
    token: ensureToken(home.personToken),
    metricsToken: ensureToken(home.metricsToken),
    hosts: [config.http.host],
    mcp: config.http.enabled ? mcp.app : undefined,
    api: () => api,
    metrics: () => (api === undefined ? undefined : core?.metrics),
    hooks: () => hooks,
    problem: () => problem,
    log: log.child({ part: "http" }),
  });
  const http = stack.use(await listenHttp({ app, http: config.http, log }));
  info = { ...info, url: http.url };
  writeDaemonInfo(home, info);
  log.info({ version, url: http.url, home: home.root }, "daemon: the doors are open");

  const opening = openCore({
    config,
    log,
    signal: stopping.signal,
    onProblem: (now) => {
      problem = now;
    },
  }).then(
    (made) => {
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

/** The person's door, once there is something behind it. */
function personApi({ deps, worker, folder, metrics }: Core, startedAt: Date): Hono {
  const api = new Hono();
  api.onError((error) => errorAnswer(error, deps.log));
  api.notFound((c) =>
    c.json({ code: "invalid_argument", message: `There is no ${c.req.path} here.`, next: null }, 404),
  );
  api.route("/", reviewApi(deps));
  api.route("/", jobsApi(deps));
  api.route("/", runsApi(deps));
  api.route("/", questionsApi(deps));
  api.route("/", webhooksApi(deps));
  api.route("/", deadLettersApi(deps));
  api.route("/", rehearsalApi(deps));
  api.route("/", metricsApi(metrics));
  api.route("/", workersApi(deps));
  api.route("/", backupApi(deps));
  api.route(
    "/",
    statusApi(deps, { startedAt, worker: worker.stats, problems: () => folder()?.problems() ?? new Map() }),
  );
  return api;
}

function sharedContext({ deps }: Core): SharedContext {
  const { store, config, pool, approvals, rehearse, diffBehaviour, log, clock, nudge, secrets, failingTargets } = deps;
  return {
    store,
    config,
    pool,
    approvals,
    rehearse,
    diffBehaviour,
    log,
    clock,
    nudge,
    failingTargets,
    secretNames: () => secrets().names(),
    command: (...words) => personCommand(config.home, ...words),
  };
}
