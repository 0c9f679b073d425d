import type { z } from "zod";
import { nearestWord } from "../nearest-word.ts";
import { knownKeys, laterPermissions } from "./declaration-schema.ts";

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
  if (place === "permissions" && laterPermissions.includes(key)) {
    return {
      path: full,
      message: `the permission "${key}" is not available in this version`,
      hint: `available: ${known.join(", ")}`,
    };
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

function hintFor(path: string): string | null {
  if (path.startsWith("schedule")) return 'such as { cron: "0 8 * * 1-5", timezone: "Asia/Seoul" }';
  if (path.startsWith("permissions.secrets")) return 'such as secrets: { CHAT_WEBHOOK: ["hooks.example.org"] }';
  if (path.startsWith("permissions.net")) return 'such as net: ["api.example.org"]';
  return null;
}
