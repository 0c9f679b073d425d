import type { CloudConfig } from "../../server/config.ts";
import type { Home } from "../../server/home.ts";
import { silentLog } from "../../server/log.ts";
import { testTime } from "../../server/review/approvals-fixture.ts";
import type { SharedContext } from "../../tools/tool-context.ts";

function noCloud(command: string): CloudConfig {
  return { enabled: false, command, model: null, env: {}, usdPerMillion: null, timeoutMs: 600_000 };
}

/** What tools work with, on the store and approvals of that fixture; `pool` is given by tests that submit jobs. */
export function testToolContext(
  { home, deps }: Readonly<{ home: Home; deps: Pick<SharedContext, "store" | "approvals"> }>,
  pool: SharedContext["pool"] = {
    guestRuntime: "none",
    declaration: async () => ({
      ok: false,
      error: { name: "Error", message: "this test has no runner", stack: "", file: null, line: null, column: null },
    }),
  },
): SharedContext {
  return {
    store: deps.store,
    approvals: deps.approvals,
    pool,
    config: {
      home,
      jobsFolder: `${home.root}/jobs`,
      databaseUrl: null,
      log: { level: "info", fileMb: 1, files: 1 },
      http: { enabled: false, host: "127.0.0.1", port: 0 },
      runners: { max: 1, warm: 0 },
      labels: [],
      retention: { days: 30, runsPerJob: 100, archive: false },
      ollama: { url: "http://127.0.0.1:11434", keepAlive: "5m", concurrency: 1 },
      agents: {
        max: 1,
        models: [{ provider: "ollama", model: "qwen3:4b" }],
        cloud: { claude: noCloud("claude"), gemini: noCloud("gemini"), codex: noCloud("codex") },
        budget: { usdPerDay: 5, tokensPerDay: null },
      },
      skills: { paths: [] },
      notify: { default: "desktop", targets: { desktop: { kind: "desktop" } } },
      plans: {
        nodes: 100,
        parallel: 4,
        agents: 30,
        depth: 3,
        tokens: 2_000_000,
        usd: 2,
        wallMs: 14_400_000,
        attempts: 3,
      },
      tasks: { github: [] },
      alerts: { targets: [], everyMs: 3_600_000, recovery: true, tasks: true },
      timezone: "UTC",
      locale: "en-US",
    },
    log: silentLog,
    clock: () => testTime,
    nudge: () => undefined,
    failingTargets: () => [],
    secretNames: () => [],
    command: (...words) => ["/home/me/.jobrunner/bin/jr", ...words].join(" "),
  };
}
