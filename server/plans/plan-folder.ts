import { constants } from "node:fs";
import { lstat, mkdir, readdir } from "node:fs/promises";
import { extname, join } from "node:path";
import { placeDraft, renameSurely } from "../effects/files-replace.ts";
import { openPinned, pinPath } from "../effects/path-pin.ts";
import { UserError } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import { formatPlanId } from "./plan-id.ts";

/** A file in a node's folder, as it was a moment ago. */
export type SavedFile = Readonly<{ name: string; mediaType: string; bytes: number; sha256: string }>;

/** Subfolder of what was put in for a node, which is not its own work. */
export const inputsFolder = "inputs";

const maxFiles = 200;
const maxBytes = 64 * 1024 * 1024;
const maxDepth = 8;

/** Folder of a plan below `plans`. */
export function planFolder(plans: string, planId: number): string {
  return join(plans, formatPlanId(planId));
}

/** The folder of a node, which is made where it is missing. Throws `file_unsafe` where a link or a file stands in its place. */
export async function makeNodeFolder(plans: string, planId: number, key: string): Promise<string> {
  await mkdir(plans, { recursive: true, mode: 0o700 });
  return makeSubfolder(await makeSubfolder(plans, formatPlanId(planId)), key);
}

/** A folder in another one, made where it is missing. Throws `file_unsafe` where a link or a file stands in its place. */
export async function makeSubfolder(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder, { mode: 0o700 }).catch(existsAlready);
  if (!(await lstat(folder)).isDirectory()) throw new UserError("file_unsafe", `${folder} is no plain folder.`);
  return folder;
}

function existsAlready(thrown: unknown): undefined {
  if (thrown instanceof Error && "code" in thrown && thrown.code === "EEXIST") return undefined;
  throw thrown;
}

/** Writes a file of ours into a folder, whole or not at all. `name` is one of our own making. */
export async function saveFile(folder: string, name: string, text: string): Promise<void> {
  await using held = await pinPath(folder);
  // One draft per name: what a crash left of it goes at the next try.
  const draft = { folder: held.at, draft: `.${name}.new`, bytes: Buffer.from(text), mode: 0o600 };
  await placeDraft(draft, async (from) => {
    await held.requireSame();
    await renameSurely(from, held.at, name);
  });
}

/**
 * Every plain file below a node's folder, with its hash; links, devices, hidden files and what was put in are left out. Throws
 * `limit_exceeded` where there are too many, or too much in them.
 */
export async function listFiles(folder: string): Promise<SavedFile[]> {
  const found: SavedFile[] = [];
  let total = 0;
  async function walk(path: string, below: string, depth: number): Promise<void> {
    await using held = await pinPath(path);
    if (!held.stats.isDirectory()) return;
    const entries = await readdir(held.at, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith(".") || (below === "" && entry.name === inputsFolder)) continue;
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      const at = join(held.at, entry.name);
      if (entry.isDirectory() && depth < maxDepth) await walk(at, name, depth + 1);
      if (!entry.isFile()) continue;
      const bytes = await readHeld(at, maxBytes - total);
      total += bytes.length;
      if (found.length >= maxFiles) throw tooMuch(`more than ${maxFiles} files`);
      found.push({ name, mediaType: mediaTypeOf(name), bytes: bytes.length, sha256: sha256(bytes) });
    }
  }
  await walk(folder, "", 0);
  return found;
}

async function readHeld(path: string, room: number): Promise<Buffer> {
  await using held = await pinPath(path);
  await using file = await openPinned(held, constants.O_RDONLY);
  if ((await file.stat()).size > room) throw tooMuch(`more than ${maxBytes} bytes`);
  return await file.readFile();
}

function tooMuch(what: string): UserError {
  return new UserError("limit_exceeded", `The node left ${what} in its folder.`);
}

const mediaTypes: Readonly<Record<string, string>> = {
  ".md": "text/markdown",
  ".txt": "text/plain",
  ".json": "application/json",
  ".csv": "text/csv",
  ".html": "text/html",
  ".ts": "text/x-typescript",
};

function mediaTypeOf(name: string): string {
  return mediaTypes[extname(name).toLowerCase()] ?? "application/octet-stream";
}
