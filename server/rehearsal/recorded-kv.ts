import { z } from "zod";
import type { RecordedAnswer } from "./recorded-answers.ts";

export type KvMap = Map<string, { value: unknown; revision: number }>;

const keyed = z.object({ key: z.string() });
const conditional = z.object({ key: z.string(), ifRevision: z.int().nullable().optional() });
const listed = z.object({ prefix: z.string().default(""), limit: z.int().default(100) });
const got = z.object({ value: z.unknown(), revision: z.int() });
const wrote = z.object({ revision: z.int() });
const deleted = z.object({ deleted: z.boolean() });
const page = z.object({ keys: z.array(z.string()), cursor: z.string().nullable() });

/** How a kv call can be answered: from the map by the effect itself, with this answer, or not at all. */
export type KvAnswer = Readonly<{ from: "map" } | { from: "record"; json: string } | { from: "nothing" }>;

/** The job's kv as a recorded run found it, as far as the record tells, with what the rehearsal itself writes laid over it. */
export type RecordedKv = Readonly<{
  kv: KvMap;
  /** Decides how a call is answered; `recorded` is the record of the same call. To be asked just before it is answered. */
  look(op: string, args: unknown, recorded: RecordedAnswer | undefined): KvAnswer;
}>;

/** Reads the first that the record tells of each key. */
export function recordedKv(answers: readonly RecordedAnswer[]): RecordedKv {
  const kv: KvMap = new Map();
  /** Keys whose value, or absence, is known. */
  const known = new Set<string>();
  /** Revision of keys that were there, but whose value the record does not tell. */
  const revisions = new Map<string, number>();
  const touched = new Set<string>();
  for (const { op, argsJson, ok, json } of [...answers].sort((a, b) => a.delivered - b.delivered)) {
    const key = keyed.safeParse(JSON.parse(argsJson)).data?.key;
    if (!ok || key === undefined || known.has(key) || revisions.has(key)) continue;
    const result: unknown = JSON.parse(json);
    if (op === "kv.get") {
      const entry = got.safeParse(result).data;
      known.add(key);
      if (entry !== undefined) kv.set(key, entry);
    } else if (op === "kv.set" || op === "kv.delete") {
      const before = op === "kv.set" ? (wrote.parse(result).revision ?? 1) - 1 : deleted.parse(result).deleted ? 1 : 0;
      if (before === 0) known.add(key);
      else revisions.set(key, before);
    }
  }

  /** Makes room in the map for a key that is about to be written. False where what is written depends on what is not known. */
  function prepareWrite(op: string, args: unknown): boolean {
    const { key, ifRevision } = conditional.parse(args);
    const isKnown = known.has(key) || touched.has(key);
    const revision = revisions.get(key);
    if (!isKnown && revision === undefined && (ifRevision !== undefined || op === "kv.delete")) return false;
    if (!isKnown && revision !== undefined) kv.set(key, { value: null, revision });
    touched.add(key);
    return true;
  }

  /** The keys that were listed then, without those that the rehearsal has deleted and with those that it has added. */
  function relisted(args: unknown, json: string): string {
    const { prefix, limit } = listed.parse(args);
    const { keys, cursor } = page.parse(JSON.parse(json));
    const own = [...touched].filter((key) => key.startsWith(prefix));
    const now = new Set(keys.filter((key) => !own.includes(key) || kv.has(key)));
    // Beyond the end of a page that has a next one, a key belongs to that.
    const end = cursor === null ? undefined : Buffer.from(cursor);
    for (const key of own) {
      if (kv.has(key) && (end === undefined || Buffer.compare(Buffer.from(key), end) <= 0)) now.add(key);
    }
    const sorted = [...now].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    return JSON.stringify({
      keys: sorted.slice(0, limit),
      cursor: cursor ?? (sorted.length > limit ? sorted[limit - 1] : null),
    });
  }

  return {
    kv,
    look(op, args, recorded) {
      switch (op) {
        case "kv.get": {
          const { key } = keyed.parse(args);
          return known.has(key) || touched.has(key) ? { from: "map" } : { from: "nothing" };
        }
        case "kv.list":
          return recorded === undefined ? { from: "nothing" } : { from: "record", json: relisted(args, recorded.json) };
        default:
          return prepareWrite(op, args) ? { from: "map" } : { from: "nothing" };
      }
    },
  };
}
