import { effect } from "./effect.ts";

type Entry = { value: unknown; revision: number };

/** The job's own store of JSON values. */
export const kv = Object.freeze({
  get: async (key: string): Promise<unknown> => (await effect<Entry | null>("kv.get", { key }))?.value,
  /** With the revision, for compare-and-set. */
  read: (key: string) => effect<Entry | null>("kv.get", { key }),
  set: (key: string, value: unknown, options: { ifRevision?: number | null } = {}) =>
    effect<{ revision: number }>("kv.set", {
      key,
      value: value === undefined ? null : value,
      ...(options.ifRevision === undefined ? {} : { ifRevision: options.ifRevision }),
    }),
  delete: async (key: string) => (await effect<{ deleted: boolean }>("kv.delete", { key })).deleted,
  list: (options: { prefix?: string; limit?: number; cursor?: string } = {}) =>
    effect<{ keys: string[]; cursor: string | null }>("kv.list", { ...options }),
});
