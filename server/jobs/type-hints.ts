/** What to do instead, for names that people know from Node or the browser and that a job does not have. */
const missingNames: Record<string, string> = {
  process: "there is no process: settings come as input, secrets from secrets.get(name)",
  Buffer: "use Uint8Array, TextEncoder, atob and btoa",
  require: 'use import, such as import { x } from "./x.ts"',
  __dirname: "a job has no folder of its own; keep data with kv, read granted folders with files",
  __filename: "a job has no folder of its own; keep data with kv, read granted folders with files",
  fs: "take files from the context, and name the folders in permissions.files",
  child_process: "take exec from the context, and name the program in permissions.exec",
  window: "a job runs without a browser",
  document: "a job runs without a browser; search the text of a page with string methods",
  localStorage: "use kv",
  XMLHttpRequest: "use fetch",
  WebSocket: "use fetch; a job makes requests, it holds no connections",
  FormData: "build the body as a string or URLSearchParams",
  Blob: "use Uint8Array",
  DOMParser: "search the text with string methods or a package in plain JavaScript",
  setImmediate: "use setTimeout(callback, 0)",
  input: "take it from the context: async run({ input }) { … }",
  kv: "take it from the context: async run({ kv }) { … }",
  secrets: "take it from the context: async run({ secrets }) { … }",
  log: "take it from the context: async run({ log }) { … }, or use console.log",
  files: "take it from the context: async run({ files }) { … }",
  artifacts: "take it from the context: async run({ artifacts }) { … }",
  llm: "take it from the context: async run({ llm }) { … }",
  notify: "take it from the context: async run({ notify }) { … }",
  exec: "take it from the context: async run({ exec }) { … }",
  sleep: "take it from the context: async run({ sleep }) { … }",
  ask: "take it from the context: async run({ ask }) { … }",
  jobs: "take it from the context: async run({ jobs }) { … }",
  z: 'import { defineJob, z } from "jobrunner"',
  defineJob: 'import { defineJob, z } from "jobrunner"',
};

/** The hint for a finding of the type checker; null where its message says enough. */
export function typeHint(code: string, message: string): string | null {
  const name = /'([^']+)'/.exec(message)?.[1] ?? "";
  switch (code) {
    case "TS2304":
    case "TS2580":
    case "TS2584":
    case "TS2591":
    case "TS2592":
    case "TS18004":
      return missingNames[name] ?? "docs/writing-jobs.md lists the globals of a job";
    case "TS2307":
      return name === "zod" ? 'import { z } from "jobrunner"' : "type declarations of that module are missing";
    case "TS2339":
      return message.includes("JobContext")
        ? "run() gets { input, kv, secrets, log, run, files, artifacts, llm, notify, exec, sleep, ask, jobs }"
        : message.includes("unknown")
          ? "check the shape first, such as z.object({ … }).parse(value)"
          : null;
    case "TS18046":
    case "TS2571":
      return "check the shape first, such as z.object({ … }).parse(value)";
    case "TS2305":
    case "TS2724":
      return message.includes('"jobrunner"') ? '"jobrunner" exports defineJob and z' : null;
    case "TS2353":
      if (message.includes("'Permissions'"))
        return "permissions are net, secrets, files, llm, notify, exec and run; what they hold stands in docs/writing-jobs.md";
      return message.includes("JobDefinition")
        ? "leave it out; docs/writing-jobs.md lists what a job may declare"
        : null;
    case "TS7016":
      return "it works, but nothing of it is checked";
    default:
      return null;
  }
}
