import { z } from "zod";
import { UserError } from "../../errors.ts";
import { nearestWord } from "../../nearest-word.ts";
import { defineWorkspaceTool } from "./define-workspace-tool.ts";

export const agentSkillRead = defineWorkspaceTool({
  name: "skill_read",
  description: "Reads one of your skills, or a further file of it.",
  input: z.strictObject({ name: z.string().max(100), file: z.string().max(200).default("SKILL.md") }),
  async perform({ skills }, { name, file }) {
    const files = skills.get(name);
    if (files === undefined) throw notFound("skill", name, [...skills.keys()]);
    const text = files.get(file);
    if (text === undefined) throw notFound(`file in the skill ${name}`, file, [...files.keys()]);
    return text;
  },
});

function notFound(what: string, wanted: string, names: readonly string[]): UserError {
  const guess = nearestWord(wanted, names);
  const meant = guess === undefined ? "" : ` Did you mean "${guess}"?`;
  return new UserError("skill_not_found", `No such ${what}.${meant} There are: ${names.join(", ") || "none"}.`);
}
