/*
 * What the real programs printed when they were run against stand-ins for their models: Claude Code 2.1.197, Gemini CLI 0.61.0,
 * Codex 0.171.0. Left out is what nobody reads.
 */

export type CliOutput = Readonly<{ stdout?: string; stderr?: string; code?: number; hang?: boolean; flood?: boolean }>;

/** Claude Code, with 116 tokens read and 12 written for 0.0008 dollars. */
export function claudeSays(text: string): CliOutput {
  return { stdout: claudeResult({ subtype: "success", is_error: false, result: text }) };
}

export function claudeFails(result: string, status: number | null): CliOutput {
  return { stdout: claudeResult({ subtype: "success", is_error: true, result, api_error_status: status }), code: 1 };
}

export const claudeOverBudget: CliOutput = {
  stdout: claudeResult({
    subtype: "error_max_budget_usd",
    is_error: true,
    errors: ["Reached maximum budget ($0.0001)"],
  }),
  code: 1,
};

function claudeResult(rest: object): string {
  return JSON.stringify({
    type: "result",
    api_error_status: null,
    duration_ms: 595,
    num_turns: 1,
    stop_reason: "end_turn",
    session_id: "18d0d7e2-f4ca-46d5-8fc8-1580d61c2ed2",
    total_cost_usd: 0.0008,
    usage: { input_tokens: 100, cache_creation_input_tokens: 7, cache_read_input_tokens: 9, output_tokens: 12 },
    modelUsage: {
      "claude-opus-4-8[1m]": {
        inputTokens: 100,
        outputTokens: 12,
        cacheReadInputTokens: 9,
        cacheCreationInputTokens: 7,
        webSearchRequests: 0,
        costUSD: 0.0008,
      },
    },
    permission_denials: [],
    terminal_reason: "completed",
    ...rest,
  });
}

/** Gemini CLI, with 100 tokens read, 12 written and 5 thought. */
export function geminiSays(text: string): CliOutput {
  const tokens = { input: 90, prompt: 100, candidates: 12, total: 117, cached: 10, thoughts: 5, tool: 0 };
  const stats = {
    models: { "gemini-2.5-flash": { api: { totalRequests: 1, totalErrors: 0 }, tokens } },
    tools: { totalCalls: 0 },
  };
  return {
    stdout: JSON.stringify({ session_id: "e4f9d13e-7375-4937-9ea4-7e96f544b558", response: text, stats }, null, 2),
    stderr: `${colours}Ripgrep is not available. Falling back to GrepTool.\n`,
  };
}

const colours =
  "Warning: 256-color support not detected. Using a terminal with at least 256-color support is recommended for a better visual experience.\n";

export const geminiNoLogin: CliOutput = {
  stderr: `${colours}${JSON.stringify({ session_id: "29af5eb4", error: { type: "Error", message: "Please set an Auth method in your settings.json", code: 41 } }, null, 2)}`,
  code: 41,
};

export function geminiFails(message: string, status: number): CliOutput {
  const body = JSON.stringify({
    error: { code: status, message, status: status === 429 ? "RESOURCE_EXHAUSTED" : "INVALID_ARGUMENT" },
  });
  return {
    stderr: `${colours}Error when talking to Gemini API Full report available at: /tmp/gemini-client-error.json _ApiError: ${body}
    at throwErrorIfNotOK (file:///usr/lib/node_modules/@google/gemini-cli/bundle/chunk-JDPZ4CE3.js:267833:24)
    at process.processTicksAndRejections (node:internal/process/task_queues:104:5) {
  status: ${status}
}
`,
    code: 144,
  };
}

const codexStart = [
  { type: "thread.started", thread_id: "01a21f39-e6de-7b00-89ae-9a0f368351ee" },
  {
    type: "item.completed",
    item: {
      id: "item_0",
      type: "error",
      message: "Model metadata for `gpt-5.2` not found. Defaulting to fallback metadata.",
    },
  },
  { type: "turn.started" },
];

/** Codex, with 100 tokens read and 12 written. */
export function codexSays(text: string): CliOutput {
  const usage = { input_tokens: 100, cached_input_tokens: 40, output_tokens: 12, reasoning_output_tokens: 5 };
  const item = { id: "item_1", type: "agent_message", text };
  return { stdout: lines([...codexStart, { type: "item.completed", item }, { type: "turn.completed", usage }]) };
}

export function codexFails(message: string): CliOutput {
  const end = [
    { type: "error", message: `Reconnecting... 5/5 (${message})` },
    { type: "turn.failed", error: { message } },
  ];
  return { stdout: lines([...codexStart, ...end]), code: 1 };
}

function lines(events: readonly object[]): string {
  return `${events.map((event) => JSON.stringify(event)).join("\n")}\n`;
}
