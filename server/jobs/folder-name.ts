import { hostname } from "node:os";

/** Which jobs folder a file is in, where several machines share a database. */
export function folderName(jobsFolder: string): string {
  return `${hostname()}:${jobsFolder}`;
}
