import { canonicalJson } from "../canonical-json.ts";
import { snapshotSchema } from "../review/review-material.ts";
import { sha256 } from "../sha256.ts";

/** The list of a definition's files as it is stored and hashed; the main file stands first in `files`. */
export function snapshotText(files: ReadonlyMap<string, string>): string {
  const listed = [...files].map(([path, text]) => [path, { hash: sha256(text), bytes: Buffer.byteLength(text) }]);
  return canonicalJson({ entry: [...files.keys()][0] ?? "", files: Object.fromEntries(listed) });
}

/** Paths and hashes of a snapshot, the main file first, then by path. */
export function readSnapshot(snapshot: string): readonly (readonly [path: string, hash: string])[] {
  const { entry, files } = snapshotSchema.parse(JSON.parse(snapshot));
  const paths = Object.keys(files).sort((a, b) => (a === entry ? -1 : b === entry ? 1 : a < b ? -1 : 1));
  return paths.map((path) => [path, files[path]?.hash ?? ""]);
}
