import { z } from "zod";
import { type CliAdapter, type CliReply, type CliSpent, noTokens, troubleOf } from "./cli-adapter.ts";
import { parseLeniently } from "./find-json.ts";

/** The lines of `codex exec --json` that matter, as version 0.171 prints them. */
const event = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("item.completed"),
    item: z.looseObject({ type: z.string(), text: z.string().optional(), message: z.string().optional() }),
  }),
  z.looseObject({
    type: z.literal("turn.completed"),
    usage: z.looseObject({ input_tokens: z.number(), output_tokens: z.number() }),
  }),
  z.looseObject({ type: z.literal("turn.failed"), error: z.looseObject({ message: z.string() }) }),
  z.looseObject({ type: z.literal("error"), message: z.string() }),
]);
type Event = z.infer<typeof event>;

/** Everything that would let the model act, look around or read what is not in the prompt. */
const off = [
  ...["shell_tool", "unified_exec", "multi_agent", "goals", "apps", "hooks", "plugins", "view_image", "shell_snapshot"],
  ...["image_generation", "unbounded_connection_retries"],
].map((feature) => `features.${feature}=false`);
const settings = [
  ...off,
  'approval_policy="never"',
  'web_search="disabled"',
  'history.persistence="none"',
  "project_doc_max_bytes=0",
  "skills.include_instructions=false",
  "skills.bundled.enabled=false",
  "include_permissions_instructions=false",
  "include_apps_instructions=false",
  "include_environment_context=false",
  "analytics.enabled=false",
  "check_for_update_on_startup=false",
];

/**
 * Codex without tools, MCP servers, hooks, settings, rules or a session, in its read-only sandbox. The person's AGENTS.md is
 * sent along, and a tool that would ask the person, who is not there.
 */
export const codex: CliAdapter = {
  name: "codex",
  title: "Codex",
  install: "npm install -g @openai/codex",
  login: "codex login",
  key: "CODEX_API_KEY",
  loginStatus: ["login", "status"],
  start({ model, system, folder }) {
    const config = [...settings, `model_instructions_file=${JSON.stringify(`${folder}/system.md`)}`];
    return {
      args: [
        ...["exec", "--json", "--ephemeral", "--ignore-user-config", "--ignore-rules", "--skip-git-repo-check"],
        ...["--sandbox", "read-only", "--color", "never", "--cd", folder],
        ...config.flatMap((each) => ["-c", each]),
        ...(model === null ? [] : ["--model", model]),
        "-",
      ],
      env: {},
      files: { "system.md": system },
    };
  },
  read({ code, stdout, stderr }): CliReply {
    const events = stdout.split("\n").flatMap((line) => readEvent(line) ?? []);
    const text = events.map(textOf).findLast((each) => each !== undefined);
    const spent = events.map(spentOf).findLast((each) => each !== undefined);
    if (text !== undefined && spent !== undefined) return { ok: true, text, spent, cut: false };
    const told = events.map(errorOf).findLast((each) => each !== undefined);
    const message = told ?? (stderr.trim().split("\n").at(-1) || `it ended with ${code} and no answer`);
    return { ok: false, trouble: troubleOf(message), message, spent: spent ?? noTokens };
  },
};

function readEvent(line: string): Event | undefined {
  return event.safeParse(parseLeniently(line)).data;
}

function textOf(each: Event): string | undefined {
  return each.type === "item.completed" && each.item.type === "agent_message" ? each.item.text : undefined;
}

function spentOf(each: Event): CliSpent | undefined {
  if (each.type !== "turn.completed") return undefined;
  return { tokens: { prompt: each.usage.input_tokens, output: each.usage.output_tokens }, costMicroUsd: null };
}

function errorOf(each: Event): string | undefined {
  if (each.type === "turn.failed") return each.error.message;
  return each.type === "error" ? each.message : undefined;
}
