import type { Stats } from "node:fs";

/** What a job learns of a file or folder besides its content. */
export type FileFacts = Readonly<{ type: "file" | "folder" | "other"; bytes: number; modifiedMs: number }>;

/** The facts as JSON; `other` are links, devices, pipes and sockets. Folders have no size that means anything. */
export function fileFacts(stats: Stats): FileFacts {
  const type = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
  return { type, bytes: type === "file" ? stats.size : 0, modifiedMs: Math.floor(stats.mtimeMs) };
}
