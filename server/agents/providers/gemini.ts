import { z } from "zod";
import { type CliAdapter, type CliOrder, type CliReply, type CliSpent, noTokens, troubleOf } from "./cli-adapter.ts";
import { findJson, parseLeniently } from "./find-json.ts";

const tokens = z.looseObject({
  prompt: z.number().default(0),
  candidates: z.number().default(0),
  thoughts: z.number().default(0),
});
/** What `gemini -o json` prints, as version 0.61 does: the answer on standard output, an error on standard error. */
const answer = z.looseObject({
  response: z.string(),
  stats: z.looseObject({ models: z.record(z.string(), z.looseObject({ tokens })).default({}) }).optional(),
});
const failure = z.looseObject({ error: z.looseObject({ message: z.string(), code: z.unknown().optional() }) });

/**
 * Gemini CLI without tools, MCP servers, hooks, extensions or skills. Most of that has no argument, so it is said in settings
 * of the folder, which win over the person's own, and by a policy that denies every tool. The person's GEMINI.md is sent along.
 */
export const gemini: CliAdapter = {
  name: "gemini",
  title: "Gemini CLI",
  install: "npm install -g @google/gemini-cli",
  login: "gemini",
  key: "GEMINI_API_KEY",
  loginStatus: null,
  start(order) {
    const { folder, model, system } = order;
    return {
      args: [
        ...["--output-format", "json", "--approval-mode", "default", "--extensions", "none"],
        ...["--allowed-mcp-server-names", "none", "--admin-policy", `${folder}/deny.toml`],
        ...(model === null ? [] : ["--model", model]),
      ],
      env: {
        GEMINI_SYSTEM_MD: `${folder}/system.md`,
        // Or the settings of the folder would not count.
        GEMINI_CLI_TRUST_WORKSPACE: "true",
        GEMINI_CLI_NO_RELAUNCH: "true",
      },
      files: {
        "system.md": system,
        "deny.toml": '[[rule]]\ntoolName = "*"\ndecision = "deny"\npriority = 999\n',
        ".gemini/settings.json": JSON.stringify(settings(order)),
      },
    };
  },
  read({ code, stdout, stderr }, { maxOutputTokens }): CliReply {
    const read = answer.safeParse(parseLeniently(stdout)).data;
    if (read !== undefined) {
      const spent = spentOf(read);
      // It does not tell why the model stopped.
      const cut = maxOutputTokens !== null && spent.tokens.output >= maxOutputTokens;
      return { ok: true, text: read.response, spent, cut };
    }
    const message =
      errorOf(stdout) ?? errorOf(stderr) ?? (lastWords(stderr) || `it ended with ${code} and said nothing`);
    return { ok: false, trouble: troubleOf(`${message} ${stderr}`), message, spent: noTokens };
  },
};

function settings({ model, maxOutputTokens, temperature, seed, hasKey }: CliOrder): object {
  const generation = {
    ...(maxOutputTokens === null ? {} : { maxOutputTokens }),
    ...(temperature === null ? {} : { temperature }),
    ...(seed === null ? {} : { seed }),
  };
  const override = { match: { model }, modelConfig: { generateContentConfig: generation } };
  return {
    // An empty list counts as none given.
    tools: { core: ["none"] },
    mcp: { allowed: ["none"] },
    hooksConfig: { enabled: false },
    skills: { enabled: false },
    context: { includeDirectoryTree: false },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    general: { enableAutoUpdate: false, enableAutoUpdateNotification: false, maxAttempts: 2 },
    experimental: { enableAgents: false },
    // Else the login that the person has chosen for themselves counts, or none where the key comes with an address.
    ...(hasKey ? { security: { auth: { selectedType: "gemini-api-key" } } } : {}),
    ...(model === null || Object.keys(generation).length === 0
      ? {}
      : { modelConfigs: { customOverrides: [override] } }),
  };
}

function spentOf({ stats }: z.infer<typeof answer>): CliSpent {
  const all = Object.values(stats?.models ?? {}).map((model) => model.tokens);
  return {
    tokens: {
      prompt: all.reduce((sum, each) => sum + each.prompt, 0),
      output: all.reduce((sum, each) => sum + each.candidates + each.thoughts, 0),
    },
    costMicroUsd: null,
  };
}

/** The message of the last error that is told as JSON. */
function errorOf(text: string): string | undefined {
  return findJson(text)
    .map(({ value }) => failure.safeParse(value).data?.error.message)
    .findLast((message) => message !== undefined);
}

/** The first line that tells of an error, without the call stack below it. */
function lastWords(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^\s+at |^Warning: |^Ripgrep /.test(line));
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "").trim();
}
