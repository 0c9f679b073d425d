import type { z } from "zod";
import { nearestWord } from "../nearest-word.ts";
import { knownKeys, noPermissions } from "./declaration-schema.ts";
import { callerKinds } from "./manifest.ts";

/** What is wrong with a declaration; `path` is where in defineJob, such as `schedule.0.cron`. */
export type ManifestProblem = Readonly<{ path: string; message: string; hint: string | null }>;

/** The findings of the schema in words for the author. */
export function toProblems(error: z.ZodError): ManifestProblem[] {
  return error.issues.flatMap((issue): ManifestProblem[] => {
    const path = issue.path.map(String).join(".");
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key));
    if (issue.code === "invalid_key")
      return [{ path, message: `${issue.issues[0]?.message ?? "is not a name"}`, hint: null }];
    if (issue.code === "invalid_type" && path === "description") {
      return [
        {
          path,
          message: "a description is needed",
          hint: 'description: "What the job does, for the person who signs it"',
        },
      ];
    }
    return [{ path, message: `${path === "" ? "the declaration" : path}: ${issue.message}`, hint: hintFor(path) }];
  });
}

function unknownKey(path: string, key: string): ManifestProblem {
  const place = path.replace(/\.\d+/g, "");
  const known = knownKeys[place] ?? [];
  const full = path === "" ? key : `${path}.${key}`;
  const instead = place === "permissions" && Object.hasOwn(noPermissions, key) ? noPermissions[key] : undefined;
  if (instead !== undefined) {
    return { path: full, message: `there is no permission "${key}"`, hint: `${instead}; known: ${known.join(", ")}` };
  }
  const guess = nearestWord(key, known);
  const kind = place === "permissions" ? "permission" : "key";
  const suggestion = guess === undefined ? "" : `did you mean "${guess}"? `;
  return {
    path: full,
    message: `unknown ${kind} "${key}"${place === "" ? "" : ` in ${place}`}`,
    hint: `${suggestion}known: ${known.join(", ")}`,
  };
}

/** An example of what is right, by the beginning of the place; the first that fits. */
const examples: readonly (readonly [string, string])[] = [
  ["schedule", 'such as { cron: "0 8 * * 1-5", timezone: "Asia/Seoul" }'],
  ["permissions.secrets", 'such as secrets: { CHAT_WEBHOOK: ["hooks.example.org"] }'],
  ["permissions.net", 'such as net: ["api.example.org"]'],
  ["permissions.files", 'such as files: { read: ["~/notes"], write: ["~/reports"] }'],
  ["permissions.llm", 'such as llm: ["qwen3:4b"]'],
  ["permissions.notify", 'such as notify: ["desktop"]; the targets stand in config.yaml'],
  ["permissions.exec", 'such as exec: [{ command: "/usr/bin/git", args: ["log", "**"], cwd: "~/project" }]'],
  ["permissions.agents", 'such as agents: ["researcher"]'],
  ["permissions.run", 'such as run: ["weekly-report"]'],
  ["permissions.tasks", 'such as tasks: "read"'],
  ["permissions", 'such as permissions: { net: ["api.example.org"] }'],
  ["limits.timeout", 'such as limits: { timeout: "5m" }'],
  ["limits.cpu", 'such as limits: { cpu: "2m" }'],
  ["limits", "leave it out for the default, or do the work in smaller parts"],
  ["retry", 'such as retry: { attempts: 3, backoff: "exponential", delay: "30s" }'],
  ["onUncertain", "leave it out: then a person decides about what a crash cut off"],
  ["callers", `leave it out for all, or name some of ${callerKinds.join(", ")}`],
];

function hintFor(path: string): string | null {
  return examples.find(([place]) => path === place || path.startsWith(`${place}.`))?.[1] ?? null;
}
