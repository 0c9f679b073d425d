import { z } from "zod";

/*
 * A backup is a gzipped tar: backup.json, home/…, store/TABLE/NNNNNN.jsonl, store/summary.json, runs/R12/…, end.json. The last one
 * holds the SHA-256 of every other, so that an archive which is cut off or changed is known before anything is done with it.
 */

export const headerName = "backup.json";
export const summaryName = "store/summary.json";
export const endName = "end.json";

/** The first part. */
export const backupHeader = z.strictObject({
  format: z.literal("jobrunner-backup"),
  formatVersion: z.literal(1),
  /** Release that made it. */
  program: z.string(),
  createdAt: z.iso.datetime(),
  host: z.string(),
  home: z.string(),
  store: z.enum(["pglite", "postgres"]),
  /** What it holds besides the store. */
  holds: z.array(z.enum(["config", "keys", "secrets", "jobs", "artifacts"])),
});
export type BackupHeader = z.infer<typeof backupHeader>;

/** The last part: every other, in order. */
export const backupEnd = z.strictObject({
  parts: z.array(z.strictObject({ name: z.string(), bytes: z.int().nonnegative(), sha256: z.string() })),
});
export type BackupPart = z.infer<typeof backupEnd>["parts"][number];

/** The name of a table's n-th part, from 1. */
export function storePartName(table: string, n: number): string {
  return `store/${table}/${String(n).padStart(6, "0")}.jsonl`;
}

/** The table of a part of the store; undefined for any other part. */
export function tableOfPart(name: string): string | undefined {
  return /^store\/([a-z_][a-z0-9_]{0,62})\/\d{6,}\.jsonl$/.exec(name)?.[1];
}

/** Where a part that is a file belongs; undefined for any other part, and for a path that would lead elsewhere. */
export function fileOfPart(name: string): { kind: "home" | "jobs" | WorkFolder; path: string } | undefined {
  const [, kind, path = ""] = /^(home|jobs|runs|plans)\/(.+)$/s.exec(name) ?? [];
  if (kind !== "home" && kind !== "jobs" && kind !== "runs" && kind !== "plans") return undefined;
  const plain = path.split("/").every((word) => word !== "" && word !== "." && word !== ".." && !/[\\\0]/.test(word));
  if (!plain || (kind === "home" && !homeFiles.includes(path) && !/^(?:roles|skills)\/[^.]/.test(path)))
    return undefined;
  if ((kind === "runs" && !/^R\d{1,15}\/./.test(path)) || (kind === "plans" && !/^P\d{1,15}\/./.test(path)))
    return undefined;
  return { kind, path };
}

/** Folders of the home that hold one folder for each run, or each plan. */
export type WorkFolder = "runs" | "plans";

/** What a backup may bring into the home folder itself, besides roles and skills. */
const homeFiles: readonly string[] = [
  "config.yaml",
  "mcp.json",
  "commands.yaml",
  ".env",
  "keys/trusted.json",
  "keys/approver.key",
  "keys/head.json",
  "keys/person.token",
  "keys/mcp.token",
];
