import { z } from "zod";
import { problem } from "../jobs/diagnostic.ts";
import { failed, type Parsed, parseFrontmatter } from "./definition-text.ts";
import type { SkillManifest } from "./skill-manifest.ts";

/** Frontmatter as the Agent Skills format has it; what else stands there is for other hosts. */
const frontmatter = z.looseObject({
  name: z.string("must be the name of the folder"),
  description: z.string("must say when the skill is read").trim().min(1).max(1_024),
});

/** Reads a skill: its texts by path, `SKILL.md` first; `leftOut` names its files that are no text. */
export function parseSkill(
  name: string,
  texts: ReadonlyMap<string, string>,
  leftOut: readonly string[],
  file: string,
): Parsed<SkillManifest> {
  const parsed = parseFrontmatter(texts.get("SKILL.md") ?? "", frontmatter, file);
  if (!parsed.ok) return parsed;
  const { data, lineOf } = parsed.value;
  if (data.name !== name) {
    const message = `the skill calls itself ${JSON.stringify(data.name.slice(0, 80))}, but its folder is "${name}"`;
    return failed(problem(file, message, "rename one of them", { line: lineOf("name") }));
  }
  return {
    ok: true,
    value: { description: data.description, files: [...texts.keys()], leftOut: [...leftOut].sort() },
  };
}
