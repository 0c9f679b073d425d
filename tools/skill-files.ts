import { readdir, readFile } from "node:fs/promises";
import { join, sep } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { UserError } from "../server/errors.ts";
import { packageRoot } from "../server/home.ts";
import { nearestWord } from "../server/nearest-word.ts";

const skillsFolder = join(packageRoot, "skills");

/** Frontmatter as the Agent Skills format has it. */
const frontmatterSchema = z.object({ name: z.string(), description: z.string().min(1).max(1024) });

export type Skill = Readonly<{ name: string; description: string; files: readonly string[] }>;

/** The skills that come with the program, by name, each with its files. */
export async function listSkills(): Promise<Skill[]> {
  const entries = await readdir(skillsFolder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const { description } = parseFrontmatter(await readFile(join(skillsFolder, name, "SKILL.md"), "utf8"));
      return { name, description, files: await filesOf(name) };
    }),
  );
}

/**
 * One file of a skill. Only what a listing of the folder shows is ever opened, so no name leads out of it.
 * Throws `skill_not_found`.
 */
export async function readSkill(name: string, file: string): Promise<string> {
  const skills = await listSkills();
  const skill = skills.find((candidate) => candidate.name === name);
  if (skill === undefined) throw skillNotFound("skill", name, [...skills.map((each) => each.name), "templates"]);
  if (!skill.files.includes(file)) throw skillNotFound(`file in the skill ${skill.name}`, file, skill.files);
  return readFile(join(skillsFolder, skill.name, file), "utf8");
}

/** A SKILL.md without its frontmatter. */
export function skillBody(text: string): string {
  return text.replace(/^---\n[\s\S]*?\n---\n+/, "").trim();
}

/** The frontmatter of a SKILL.md. Throws where it is missing or wrong, which a test of the shipped skills rules out. */
export function parseFrontmatter(text: string): z.infer<typeof frontmatterSchema> {
  return frontmatterSchema.parse(parse(/^---\n([\s\S]*?)\n---\n/.exec(text)?.[1] ?? ""));
}

async function filesOf(name: string): Promise<string[]> {
  const root = join(skillsFolder, name);
  const entries = await readdir(root, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(root.length + 1)
        .split(sep)
        .join("/"),
    )
    .sort();
}

/** What is told where no skill, or no file of one, has that name. */
export function skillNotFound(what: string, wanted: string, names: readonly string[]): UserError {
  const guess = nearestWord(wanted, names);
  return new UserError(
    "skill_not_found",
    `No such ${what}.${guess === undefined ? "" : ` Did you mean "${guess}"?`} There are: ${names.join(", ")}.`,
    { next: "skill_read {}" },
  );
}
