import { z } from "zod";
import { type CliAdapter, type CliReply, type CliSpent, noTokens, troubleOf } from "./cli-adapter.ts";
import { parseLeniently } from "./find-json.ts";

const usage = z.looseObject({
  inputTokens: z.number(),
  outputTokens: z.number(),
  cacheReadInputTokens: z.number().default(0),
  cacheCreationInputTokens: z.number().default(0),
});
/** What `claude -p --output-format json` prints, as version 2.1 does. */
const result = z.looseObject({
  type: z.literal("result"),
  subtype: z.string(),
  is_error: z.boolean(),
  result: z.string().optional(),
  errors: z.array(z.string()).default([]),
  api_error_status: z.number().nullish(),
  stop_reason: z.string().nullish(),
  total_cost_usd: z.number().default(0),
  modelUsage: z.record(z.string(), usage).default({}),
});

/** Claude Code without tools, MCP servers, hooks, settings, memory or a session. It tells costs and stops at a budget itself. */
export const claude: CliAdapter = {
  name: "claude",
  title: "Claude Code",
  install: "npm install -g @anthropic-ai/claude-code",
  login: "claude auth login",
  key: "ANTHROPIC_API_KEY",
  loginStatus: ["auth", "status"],
  start({ model, system, maxOutputTokens, maxUsd, folder }) {
    return {
      args: [
        ...["--print", "--output-format", "json"],
        ...["--tools", "", "--strict-mcp-config", "--setting-sources", "", "--disable-slash-commands"],
        ...["--permission-mode", "dontAsk", "--no-session-persistence"],
        ...["--system-prompt-file", `${folder}/system.md`],
        ...(model === null ? [] : ["--model", model]),
        ...(maxUsd === null ? [] : ["--max-budget-usd", maxUsd.toFixed(6)]),
      ],
      env: {
        // Without it each question asks the model a second one, for a title.
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
        CLAUDE_CODE_MAX_RETRIES: "2",
        ...(maxOutputTokens === null ? {} : { CLAUDE_CODE_MAX_OUTPUT_TOKENS: String(maxOutputTokens) }),
      },
      files: { "system.md": system },
    };
  },
  read({ code, stdout, stderr }): CliReply {
    const read = result.safeParse(parseLeniently(stdout)).data;
    if (read === undefined) {
      const message = stderr.trim() || stdout.trim() || `it ended with ${code} and said nothing`;
      return { ok: false, trouble: troubleOf(message), message, spent: noTokens };
    }
    const spent = spentOf(read);
    const text = read.result ?? "";
    if (!read.is_error && read.subtype === "success")
      return { ok: true, text, spent, cut: read.stop_reason === "max_tokens" };
    const message = read.errors.join("; ") || text || read.subtype;
    const trouble =
      read.subtype === "error_max_budget_usd" ? "budget" : troubleOf(message, read.api_error_status ?? undefined);
    return { ok: false, trouble, message, spent };
  },
};

function spentOf({ total_cost_usd, modelUsage }: z.infer<typeof result>): CliSpent {
  const all = Object.values(modelUsage);
  const sum = (count: (each: z.infer<typeof usage>) => number) => all.reduce((total, each) => total + count(each), 0);
  return {
    tokens: {
      prompt: sum((each) => each.inputTokens + each.cacheReadInputTokens + each.cacheCreationInputTokens),
      output: sum((each) => each.outputTokens),
    },
    costMicroUsd: Math.round(total_cost_usd * 1_000_000),
  };
}
