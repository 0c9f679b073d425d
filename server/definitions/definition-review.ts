import { codeDiff, type FileDiff } from "../review/code-diff.ts";
import { subjectWord } from "../review/subject.ts";
import { visibleLine, visibleText } from "../review/visible-text.ts";
import { type DefinitionPowers, definitionPowers, inOneLine } from "./definition-lines.ts";
import { type DefinitionMaterial, type DefinitionVersionMaterial, textsOf } from "./definition-material.ts";
import { describe } from "./definition-words.ts";

/** What a person sees of a definition before signing, as plain JSON. Every text in it shows hidden characters as `⟨U+202E⟩`. */
export type DefinitionReview = Readonly<{
  /** As it is written after `jr approve`. */
  subject: string;
  version: number;
  state: DefinitionVersionMaterial["state"];
  newest: number;
  /** The version in use that this one is compared with; null where nothing is approved, or this is the active one. */
  base: number | null;
  active: DefinitionMaterial["active"];
  description: string;
  /** Where it comes from, in words. */
  origin: string;
  proposedBy: string;
  proposedAt: string;
  rejectedNote: string | null;
  /** What it may do that the version in use may not; for a first version, all that it may do. */
  widened: readonly string[];
  narrowed: readonly string[];
  may: readonly string[];
  limits: string;
  code: readonly FileDiff[];
  hashes: { source: string; bundle: string; manifest: string };
  keys: DefinitionMaterial["keys"];
}>;

const unreadable: DefinitionPowers = { may: ["IT CANNOT BE READ HERE: another release made it"], limits: [] };

/** Makes the review of its material alone, so that the person's process can make it of material that it has checked itself. */
export function composeDefinitionReview(material: DefinitionMaterial): DefinitionReview {
  const { version: it, base, origin, path } = material;
  const powers = definitionPowers(it.kind, it.manifest) ?? unreadable;
  const before = base === null ? undefined : (definitionPowers(base.kind, base.manifest) ?? unreadable);
  const texts = visibleFiles(it);
  return {
    subject: subjectWord(it),
    version: it.number,
    state: it.state,
    newest: material.newest,
    base: base?.number ?? null,
    active: material.active,
    description: visibleLine(describe(it.kind, it.manifest)),
    origin: visibleLine(originWords(origin, path)),
    proposedBy: visibleLine(it.proposed_by),
    proposedAt: it.created_at,
    rejectedNote: it.rejected_note === null ? null : visibleText(it.rejected_note),
    widened: [
      ...hiddenLines(it),
      ...inOneLine(newLines(before, powers)),
      ...changedLimits("raised", before, powers),
    ].map(visibleLine),
    narrowed:
      before === undefined
        ? []
        : [
            ...inOneLine(newLines(powers, before)).map((line) => `no longer: ${line}`),
            ...changedLimits("lowered", before, powers),
          ].map(visibleLine),
    may: inOneLine(powers.may).map(visibleLine),
    limits: powers.limits.map(({ text }) => text).join(" · ") || "none",
    code: codeDiff(base === null ? new Map() : visibleFiles(base), texts),
    hashes: { source: it.source_hash, bundle: it.bundle_hash, manifest: it.manifest_hash },
    keys: material.keys,
  };
}

/** Lines that were not there before. */
function newLines(before: DefinitionPowers | undefined, after: DefinitionPowers): string[] {
  const known = new Set(before?.may ?? []);
  return after.may.filter((line) => !known.has(line));
}

function changedLimits(
  how: "raised" | "lowered",
  before: DefinitionPowers | undefined,
  after: DefinitionPowers,
): string[] {
  return after.limits.flatMap(({ name, value, text }) => {
    const was = before?.limits.find((limit) => limit.name === name);
    const changed = was !== undefined && (how === "raised" ? value > was.value : value < was.value);
    return changed ? [`LIMIT: ${name} ${how} from ${was.text} to ${text}`] : [];
  });
}

/** Models read what people do not see. */
function hiddenLines(version: DefinitionVersionMaterial): string[] {
  return [...textsOf(version)].flatMap(([path, text]) => {
    const shown = visibleText(text);
    const count = shown.split("⟨U+").length - text.split("⟨U+").length;
    return count === 0 ? [] : [`HIDDEN CHARACTERS: ${count} in ${path}, written out below: models read them`];
  });
}

function visibleFiles(version: DefinitionVersionMaterial): Map<string, string> {
  return new Map([...textsOf(version)].map(([path, text]) => [visibleLine(path), visibleText(text)]));
}

function originWords(origin: DefinitionMaterial["origin"], path: string | null): string {
  if (path === null) return "its file was deleted, so it is not used until that is back";
  switch (origin) {
    case "shipped":
      return "comes with JobRunner";
    case "home":
    case "path":
      return path;
    default:
      return origin satisfies never;
  }
}
