import { isBuiltin } from "node:module";

export type Refusal = Readonly<{ message: string; hint: string }>;

/** What a job uses instead of a module of Node. */
const instead: Record<string, string> = {
  fs: "jobs have no file system; keep data between runs with kv",
  http: "use fetch with permissions.net",
  https: "use fetch with permissions.net",
  http2: "use fetch with permissions.net",
  net: "use fetch with permissions.net",
  tls: "use fetch with permissions.net",
  dns: "use fetch with permissions.net",
  crypto: "use the global crypto (randomUUID, getRandomValues, subtle.digest) or secrets.hmac",
  child_process: "jobs cannot start programs",
  worker_threads: "jobs have one thread",
  process: "there is no process; settings come as input, secrets from secrets.get",
  os: "there is no machine to see; settings come as input",
  path: "there are no files; for URLs use the global URL",
  url: "use the globals URL and URLSearchParams",
  querystring: "use the global URLSearchParams",
  timers: "use the global setTimeout",
  buffer: "use Uint8Array, TextEncoder, atob and btoa",
  util: "use the globals TextEncoder, TextDecoder and structuredClone",
  events: "use the global EventTarget",
  stream: "responses are whole: use response.text(), json() or bytes()",
  assert: "throw an Error instead",
};

/** Why an import specifier can never be part of a job, by its form alone; undefined for one that may be looked for. */
export function findRefusedImport(specifier: string): Refusal | undefined {
  if (specifier.startsWith("node:")) return nodeRefusal(specifier);
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(specifier)?.[1];
  if (scheme !== undefined) {
    return {
      message: `"${specifier.slice(0, 80)}" cannot be imported: a job holds all of its code, nothing is loaded from a ${scheme}: address`,
      hint: "put the code into a file beside the job, or install the package in the jobs folder",
    };
  }
  if (specifier.startsWith("/") || /^[a-z]:[\\/]/i.test(specifier) || specifier.startsWith("\\")) {
    return { message: `"${specifier}" is an absolute path`, hint: "import by a relative path, such as ./helper.ts" };
  }
  if (specifier.endsWith(".node")) return nativeRefusal(specifier);
  return undefined;
}

/** For a specifier that nothing was found for. */
export function missingImport(specifier: string): Refusal {
  if (isBuiltin(specifier)) return nodeRefusal(specifier);
  if (specifier.startsWith(".")) {
    return {
      message: `there is no file "${specifier}"`,
      hint: "give the path from this file with its ending, such as ./helper.ts",
    };
  }
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
  if (name === "zod")
    return { message: '"zod" is not installed in the jobs folder', hint: 'import { z } from "jobrunner"' };
  return {
    message: `the package "${name}" is not installed in the jobs folder`,
    hint: `write the few lines that are needed, or let the person run: npm install --ignore-scripts ${name} (in the jobs folder)`,
  };
}

export function nativeRefusal(what: string): Refusal {
  return {
    message: `"${what}" is native code, which the sandbox cannot run`,
    hint: "use a package that is JavaScript alone",
  };
}

function nodeRefusal(specifier: string): Refusal {
  const name = specifier.replace(/^node:/, "").split("/")[0] ?? specifier;
  return {
    message: `"${specifier}" is a module of Node, and jobs do not run on Node`,
    hint: instead[name] ?? "use the web's globals; docs/writing-jobs.md lists them",
  };
}
