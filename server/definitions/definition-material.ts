import { z } from "zod";
import { decisionsShape, versionShape } from "../review/material.ts";
import { findFalseMaterial } from "../review/review-material.ts";
import { definitionKinds } from "../review/subject.ts";
import { sha256 } from "../sha256.ts";
import { bundleOf, saysTheSame } from "./definition.ts";
import { readSnapshot } from "./definition-snapshot.ts";

const versionMaterial = z.object({ ...versionShape, kind: z.enum(definitionKinds), name: z.string() });

/** What a review of a definition is made of and what a signature needs, as plain JSON; the person's process checks every hash of it. */
export const definitionMaterialSchema = z.object({
  version: versionMaterial,
  /** The version that is used now, to compare with. */
  base: versionMaterial.nullable(),
  ...decisionsShape,
  origin: z.enum(["shipped", "home", "path"]),
  /** Its file or folder; null where that was deleted. */
  path: z.string().nullable(),
});

export type DefinitionVersionMaterial = z.infer<typeof versionMaterial>;
export type DefinitionMaterial = z.infer<typeof definitionMaterialSchema>;

/** Texts of a version's files by path, the main file first. */
export function textsOf({ snapshot, files }: DefinitionVersionMaterial): Map<string, string> {
  return new Map(
    readSnapshot(snapshot).map(([path]) => [path, Buffer.from(files[path] ?? "", "base64").toString("utf8")]),
  );
}

/** The first part of a definition's material that is not what its hashes say, what is used of it included; undefined where all agree. */
export function findFalseDefinition(version: DefinitionVersionMaterial): string | undefined {
  const differing = findFalseMaterial(version);
  if (differing !== undefined) return differing;
  const { kind, manifest } = version;
  const texts = textsOf(version);
  if (sha256(bundleOf(kind, manifest, texts)) !== version.bundle_hash) return "the text that is used";
  return saysTheSame(kind, manifest, texts) ? undefined : "what the manifest says of its text";
}
