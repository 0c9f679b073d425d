import { optionsOf, requireText } from "./arguments.ts";
import { decodeBase64, encodeBase64, toBytes } from "./bytes.ts";
import { effect } from "./effect.ts";
import { TextDecoder } from "./text.ts";

type FileKind = "file" | "folder" | "other";
type Entry = { name: string; type: FileKind; bytes: number; modifiedMs: number };
type Content = { data: string; bytes: number; modifiedMs: number };

const pathOf = (path: unknown) => requireText(path, "a path");

/** Files below the folders that the manifest grants. */
export const files = Object.freeze({
  read: async (path: string) => decodeBase64((await effect<Content>("files.read", { path: pathOf(path) })).data),
  readText: async (path: string) => new TextDecoder().decode(await files.read(path)),
  list: async (path: string) => (await effect<{ entries: Entry[] }>("files.list", { path: pathOf(path) })).entries,
  stat: (path: string) => effect<Omit<Entry, "name"> | null>("files.stat", { path: pathOf(path) }),
  write: async (path: string, data: unknown, options?: { mode?: "replace" | "append" | "create" }) => {
    const { mode = "replace" } = optionsOf(options, "files.write: options");
    return effect<{ bytes: number }>("files.write", { path: pathOf(path), data: encodeBase64(toBytes(data)), mode });
  },
  delete: async (path: string) => (await effect<{ deleted: boolean }>("files.delete", { path: pathOf(path) })).deleted,
});
