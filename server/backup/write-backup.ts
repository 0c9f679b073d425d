import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Home } from "../home.ts";
import { editorFileMark } from "../jobs/editor-files.ts";
import type { StorePart, StoreSummary } from "../store/dump-store.ts";
import { version } from "../version.ts";
import { type BackupHeader, headerName, storePartName, summaryName } from "./archive-format.ts";
import { type ArchiveWriter, type WrittenArchive, writeArchive } from "./archive-writer.ts";
import { walkFiles } from "./walk-files.ts";

/** Gives every row of a store as of one moment, from a store of our own or from a daemon's. */
export type StoreSource = Readonly<{
  kind: BackupHeader["store"];
  dump(write: (part: StorePart) => Promise<void>): Promise<StoreSummary>;
}>;

export type BackupOptions = Readonly<{
  /** Undefined where the home is another machine's: then it holds the store alone. */
  home: Home | undefined;
  jobsFolder: string;
  keys: boolean;
  secrets: boolean;
  artifacts: boolean;
}>;

export type WrittenBackup = WrittenArchive & Readonly<{ header: BackupHeader; summary: StoreSummary }>;

/** Writes one consistent backup: the store as of one moment, and what of the home a restore needs. Throws `file_exists`. */
export async function writeBackup(
  file: string,
  source: StoreSource,
  options: BackupOptions,
  signal: AbortSignal,
): Promise<WrittenBackup> {
  const { home, jobsFolder, artifacts } = options;
  const header: BackupHeader = {
    format: "jobrunner-backup",
    formatVersion: 1,
    program: version,
    createdAt: new Date().toISOString(),
    host: hostname(),
    home: home?.root ?? "",
    store: source.kind,
    holds: held(options),
  };
  const made: { summary?: StoreSummary } = {};
  const fill = async (archive: ArchiveWriter) => {
    await archive.add(headerName, asJson(header));
    // Before the store's moment: the head of the decisions that this home remembers is then in the store.
    if (home !== undefined) {
      for (const [name, path] of homeFiles(home, options)) await archive.addFile(name, path);
      for (const name of ["roles", "skills"] as const) {
        for (const path of await walkFiles(home[name], (each) => each === "node_modules" || each.startsWith(".")))
          await archive.addFile(`home/${name}/${path}`, join(home[name], path));
      }
      for (const path of await jobFiles(jobsFolder)) await archive.addFile(`jobs/${path}`, join(jobsFolder, path));
    }
    const counts = new Map<string, number>();
    made.summary = await source.dump(async ({ table, lines }) => {
      signal.throwIfAborted();
      const n = (counts.get(table) ?? 0) + 1;
      counts.set(table, n);
      await archive.add(storePartName(table, n), Buffer.from(lines));
    });
    await archive.add(summaryName, asJson(made.summary));
    // After it: each artifact that is on record has its file.
    if (home !== undefined && artifacts) {
      for (const kind of ["runs", "plans"] as const) {
        for (const path of await walkFiles(home[kind], (name) => name.startsWith(".")))
          await archive.addFile(`${kind}/${path}`, join(home[kind], path));
      }
    }
  };
  const written = await writeArchive(file, fill, signal);
  if (made.summary === undefined) throw new Error("the store gave no summary");
  return { ...written, header, summary: made.summary };
}

function held({ home, keys, secrets, artifacts }: BackupOptions): BackupHeader["holds"] {
  if (home === undefined) return [];
  return [
    "config",
    ...(keys ? (["keys"] as const) : []),
    ...(secrets ? (["secrets"] as const) : []),
    "jobs",
    ...(artifacts ? (["artifacts"] as const) : []),
  ];
}

function homeFiles(home: Home, { keys, secrets }: BackupOptions): [name: string, path: string][] {
  return [
    ["home/config.yaml", home.config],
    ["home/mcp.json", home.mcpServers],
    ["home/commands.yaml", home.commands],
    ...(keys
      ? ([
          ["home/keys/trusted.json", home.trustedKeys],
          ["home/keys/approver.key", home.approverKey],
          ["home/keys/head.json", home.chainHead],
        ] as const)
      : []),
    ...(secrets
      ? ([
          ["home/.env", home.env],
          ["home/keys/person.token", home.personToken],
          ["home/keys/mcp.token", home.mcpToken],
        ] as const)
      : []),
  ].map(([name = "", path = ""]) => [name, path]);
}

/** What the jobs folder holds besides packages, hidden files, and what is made anew at each start. */
async function jobFiles(folder: string): Promise<string[]> {
  const files = await walkFiles(folder, (name) => name === "node_modules" || name.startsWith("."));
  return files.filter((path) => {
    if (path !== "jobrunner.d.ts" && path !== "tsconfig.json") return true;
    return !readFileSync(join(folder, path), "utf8").startsWith(editorFileMark);
  });
}

function asJson(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
