import { z } from "zod";
import { behaviourDiffSchema } from "../rehearsal/behaviour-report.ts";
import { sha256 } from "../sha256.ts";
import { decisionsShape, versionShape } from "./material.ts";

const versionMaterial = z.object({
  ...versionShape,
  job: z.string(),
  packages: z.string(),
  checks: z.string(),
  note: z.string().nullable(),
  /** JSON of a RehearsalReport; unsigned. */
  rehearsal: z.string().nullable(),
});

/** Everything that a review is made of and that a signature needs, as plain JSON; the person's process checks every hash of it. */
export const reviewMaterialSchema = z.object({
  version: versionMaterial,
  /** The version that is active now, to compare with. */
  base: versionMaterial.nullable(),
  ...decisionsShape,
  /** What it would have done otherwise in the last runs of `base`; null where that was not compared. Unsigned. */
  behaviour: behaviourDiffSchema.nullable(),
  pausedBy: z.string().nullable(),
});

export type VersionMaterial = z.infer<typeof versionMaterial>;
export type ReviewMaterial = z.infer<typeof reviewMaterialSchema>;

/** The list of a version's source files, as it is hashed. */
export const snapshotSchema = z.object({
  entry: z.string(),
  files: z.record(z.string(), z.object({ hash: z.string(), bytes: z.int().nonnegative() })),
});

type Hashed = Pick<VersionMaterial, "manifest" | "manifest_hash" | "snapshot" | "source_hash" | "files">;

/** The first part of a version's material that is not what its hashes say; undefined where all agree. */
export function findFalseMaterial(version: Hashed): string | undefined {
  if (sha256(version.manifest) !== version.manifest_hash) return "the manifest";
  if (sha256(version.snapshot) !== version.source_hash) return "the list of source files";
  const listed = snapshotSchema.parse(JSON.parse(version.snapshot)).files;
  const names = Object.keys(version.files);
  if (names.length !== Object.keys(listed).length) return "the set of source files";
  return names.find((path) => sha256(Buffer.from(version.files[path] ?? "", "base64")) !== listed[path]?.hash);
}
