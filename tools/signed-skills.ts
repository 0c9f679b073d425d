import { listDefinitions, requireDefinition } from "../server/definitions/read-definitions.ts";
import { listSkills, readSkill, type Skill, skillNotFound } from "./skill-files.ts";
import type { ToolContext } from "./tool-context.ts";

type Context = Pick<ToolContext, "store" | "approvals">;

export type SkillList = Readonly<{
  skills: readonly Skill[];
  /** Names of skills of the person's own folders that are not signed, so that nobody reads them. */
  unsigned: readonly string[];
}>;

/** The skills that come with the program, and those of the person's own folders that are signed: these take the place of the others. */
export async function listReadableSkills(context: Context): Promise<SkillList> {
  const own = (await listDefinitions(context, "skill")).filter(
    ({ origin, path }) => origin !== "shipped" && path !== null,
  );
  const signed = [];
  for (const { name, active } of own) {
    if (active === null) continue;
    const { manifest } = await requireDefinition(context, "skill", name);
    signed.push({ name, description: manifest.description, files: manifest.files });
  }
  const taken = new Set(signed.map(({ name }) => name));
  const shipped = (await listSkills()).filter(({ name }) => !taken.has(name));
  return {
    skills: [...shipped, ...signed].sort((a, b) => (a.name < b.name ? -1 : 1)),
    unsigned: own.filter(({ active }) => active === null).map(({ name }) => name),
  };
}

/**
 * One file of a skill. Of the person's own, the text that they signed, whatever stands on disk now. Names are only compared, never made
 * into paths. Throws `skill_not_found`, and what `requireDefinition` throws.
 */
export async function readAnySkill(context: Context, name: string, file: string): Promise<string> {
  const own = (await listDefinitions(context, "skill")).find((skill) => skill.name === name);
  if (own === undefined || own.origin === "shipped" || own.path === null || own.active === null) {
    const shipped = await listSkills();
    // One that waits is named as such, unless it would take the place of one that is there.
    if (own === undefined || own.origin === "shipped" || shipped.some((skill) => skill.name === name))
      return readSkill(name, file);
  }
  const { files } = await requireDefinition(context, "skill", name);
  const text = files.get(file);
  if (text === undefined) throw skillNotFound(`file in the skill ${name}`, file, [...files.keys()]);
  return text;
}
