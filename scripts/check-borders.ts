import { globSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/*
 * Holds the table of who may import whom, which packages stay in one place, and what commands load at their start, and refuses
 * circles. Only imports that stand at run time count: a type binds nothing.
 */

/** Each area with the others that it may import. A file belongs to the longest prefix that it has. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  "server/main": ["server/cli/", "server/"],
  "server/cli/": [
    "server/agents/",
    "server/agents/providers/",
    "server/backup/",
    "server/plans/",
    "server/daemon/",
    "server/definitions/",
    "server/mcp/client/",
    "server/rehearsal/",
    "server/review/",
    "server/runs/",
    "server/tasks/",
    "server/jobs/",
    "server/effects/",
    "server/sandbox/",
    "server/llm/",
    "server/notify/",
    "server/store/",
    "server/",
  ],
  "server/daemon/": [
    "server/agents/",
    "server/backup/",
    "server/plans/",
    "server/mcp/",
    "server/mcp/client/",
    "server/definitions/",
    "server/review/",
    "server/rehearsal/",
    "server/runs/execute-run",
    "server/runs/",
    "server/tasks/",
    "server/jobs/",
    "server/effects/",
    "server/sandbox/",
    "server/llm/",
    "server/notify/",
    "server/store/",
    "server/",
  ],
  "server/definitions/": [
    "server/review/",
    "server/runs/",
    "server/jobs/",
    "server/effects/",
    "server/store/",
    "server/",
  ],
  "server/backup/": [
    "server/agents/",
    "server/plans/",
    "server/review/",
    "server/jobs/",
    "server/runs/queue/",
    "server/runs/",
    "server/store/",
    "server/",
  ],
  "server/mcp/": ["tools/", "server/review/", "server/jobs/", "server/runs/", "server/store/", "server/"],
  "server/mcp/client/": ["server/mcp/", "server/definitions/", "server/effects/", "server/"],
  "tools/": [
    "server/plans/",
    "server/agents/",
    "server/definitions/",
    "server/review/",
    "server/rehearsal/",
    "server/tasks/",
    "server/jobs/",
    "server/runs/",
    "server/store/",
    "server/",
  ],
  "server/review/": ["server/rehearsal/", "server/jobs/", "server/runs/", "server/store/", "server/"],
  "server/runs/execute-run": [
    "server/runs/run-attempt",
    "server/runs/queue/",
    "server/runs/",
    "server/review/",
    "server/store/",
    "server/",
  ],
  "server/runs/run-attempt": ["server/runs/queue/", "server/runs/", "server/effects/", "server/store/", "server/"],
  "server/runs/": ["server/runs/queue/", "server/jobs/", "server/store/", "server/"],
  "server/runs/queue/": ["server/runs/", "server/jobs/", "server/store/", "server/"],
  "server/plans/": [
    "server/agents/",
    "server/tasks/",
    "server/definitions/",
    "server/effects/",
    "server/runs/queue/",
    "server/runs/",
    "server/jobs/",
    "server/store/",
    "server/",
    "server/review/",
  ],
  "server/jobs/": ["server/runs/", "server/sandbox/", "server/store/", "server/"],
  "server/agents/": [
    "server/agents/loop/",
    "server/agents/providers/",
    "server/definitions/",
    "server/runs/queue/",
    "server/runs/",
    "server/jobs/",
    "server/effects/",
    "server/llm/",
    "server/store/",
    "server/",
  ],
  "server/agents/loop/": ["server/agents/", "server/agents/providers/", "server/"],
  "server/agents/child": [
    "server/agents/",
    "server/agents/loop/",
    "server/agents/providers/",
    "server/llm/",
    "server/definitions/",
    "server/effects/",
    "server/mcp/client/",
    "server/",
  ],
  "server/effects/": ["server/store/", "server/"],
  "server/rehearsal/": ["server/effects/", "server/runs/", "server/jobs/", "server/store/", "server/"],
  "server/agents/providers/": ["server/effects/", "server/llm/", "server/"],
  "server/llm/": ["server/"],
  "server/notify/": ["server/"],
  "server/sandbox/": ["server/"],
  "server/sandbox/child": ["server/sandbox/"],
  "server/sandbox/guest/": [],
  "server/tasks/": ["server/store/", "server/"],
  "server/store/": ["migrations/", "server/"],
  "migrations/": [],
  "server/": [],
};

/** Files that only some may import, and packages that only some may import. */
const reserved: readonly { target: RegExp; only: RegExp; why: string }[] = [
  {
    target: /^server\/review\/record-decision\.ts$/,
    only: /^server\/daemon\//,
    why: "only the person's door writes approvals",
  },
  { target: /^isolated-vm$/, only: /^server\/sandbox\/child\.ts$/, why: "it may end the process that it lives in" },
  { target: /^@modelcontextprotocol\/sdk/, only: /^server\/mcp\//, why: "its successor replaces it in one place" },
  { target: /^@electric-sql\/pglite/, only: /^server\/store\//, why: "one process opens it, through the store" },
  { target: /^prom-client$/, only: /^server\/daemon\/metrics\//, why: "numbers are told by the daemon's door" },
  { target: /^pg$/, only: /^server\/store\//, why: "the store owns the connections" },
];

/** What starts anew each time that somebody waits for it, and what it must not load before it is needed. */
const light: readonly { entries: RegExp; without: RegExp; why: string }[] = [
  { entries: /^server\/cli\/mcp\.ts$/, without: /^(?!node:)/, why: "hosts start the bridge for every session" },
  {
    entries: /^server\/cli\/(?!(backup|migrate-store|replay|restore|worker)\.ts$)/,
    without: /^(kysely|pg)$/,
    why: "packages of the database are hundreds of files; the daemon opens its doors first, and commands need only the daemon",
  },
];

const root = resolve(fileURLToPath(new URL("..", import.meta.url)));
const files = globSync(["server/**/*.ts", "tools/**/*.ts", "migrations/**/*.ts"], { cwd: root }).filter(
  (file) => !/\.test\.ts$|\.d\.ts$|-fixture\.ts$/.test(file),
);
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: files,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  metafile: true,
  write: false,
  outdir: "unused",
  logLevel: "error",
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true } },
});

const prefixes = Object.keys(allowed).sort((a, b) => b.length - a.length);
const areaOf = (file: string) => prefixes.find((prefix) => file.startsWith(prefix)) ?? "";
const problems: string[] = [];
const imports = new Map(Object.entries(metafile.inputs).map(([file, input]) => [file, input.imports]));

for (const [file, targets] of imports) {
  for (const { path } of targets) {
    const [from, to] = [areaOf(file), areaOf(path)];
    const border = path.startsWith("server/") || path.startsWith("tools/") || path.startsWith("migrations/");
    if (border && from !== to && !allowed[from]?.includes(to)) problems.push(`${file} may not import ${path}`);
    for (const { target, only, why } of reserved) {
      if (target.test(path) && !only.test(file)) problems.push(`${file} may not import ${path}: ${why}`);
    }
  }
}

for (const { entries, without, why } of light) {
  for (const entry of [...imports.keys()].filter((file) => entries.test(file))) {
    const chain = chainTo(entry, without);
    if (chain !== undefined) problems.push(`${chain.join(" -> ")} is loaded at start: ${why}`);
  }
}

/** The shortest way of static imports from a file to a package. */
function chainTo(entry: string, wanted: RegExp): string[] | undefined {
  const ways = [[entry]];
  const seen = new Set([entry]);
  for (const way of ways) {
    for (const { path, kind, external } of imports.get(way.at(-1) ?? "") ?? []) {
      if (kind !== "import-statement" || seen.has(path)) continue;
      if (external && wanted.test(path)) return [...way, path];
      seen.add(path);
      ways.push([...way, path]);
    }
  }
  return undefined;
}

const done = new Set<string>();
function visit(file: string, path: readonly string[]): void {
  if (path.includes(file)) {
    problems.push(`a circle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
    return;
  }
  if (done.has(file)) return;
  for (const next of imports.get(file) ?? []) if (imports.has(next.path)) visit(next.path, [...path, file]);
  done.add(file);
}
for (const file of imports.keys()) visit(file, []);

for (const problem of problems) process.stderr.write(`check-borders: ${problem}\n`);
process.stdout.write(`${files.length} files, ${problems.length} breaches of the import borders\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
