import { z } from "zod";
import { UserError } from "../server/errors.ts";
import { listTemplates, readTemplate } from "../server/jobs/templates.ts";
import { defineTool } from "./define-tool.ts";
import { fence, inline } from "./fence.ts";
import { foldEnd } from "./fold.ts";
import { listReadableSkills, readAnySkill } from "./signed-skills.ts";
import type { ToolContext } from "./tool-context.ts";

export const skillRead = defineTool({
  name: "skill_read",
  title: "Read a skill or template",
  description:
    'Without arguments lists the skills. {name: "write-job"} is how to write a job: read it first. {name: "templates"} lists job templates, with file one of them.',
  annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    name: z.string().max(100).optional(),
    file: z.string().max(200).describe('default "SKILL.md"; of templates, the template\'s name').optional(),
  }),
  async handle(context, { name, file }) {
    if (name === undefined && file === undefined) return skillsText(context);
    if (name === undefined) throw new UserError("invalid_argument", "file needs name.", { next: "skill_read {}" });
    if (name !== "templates")
      return foldEnd(await readAnySkill(context, name, file ?? "SKILL.md"), "split the file", 34_000);
    if (file === undefined) return templatesText();
    const template = await readTemplate(file.replace(/\.ts$/, ""));
    return `# Template ${template.name}\n${template.description}\n\n${fence(template.source, "ts")}\n\nChange it to what the person wants, then job_submit {"name": …, "source": …, "dry_run": true}.`;
  },
});

async function skillsText(context: ToolContext): Promise<string> {
  const { skills, unsigned } = await listReadableSkills(context);
  const lines = skills.map((skill) => {
    const more = skill.files.filter((file) => file !== "SKILL.md");
    return `- **${skill.name}**: ${inline(skill.description, 600)}${more.length === 0 ? "" : ` Files: ${more.join(", ")}.`}`;
  });
  const waiting = unsigned.map((name) => `- ${name}: ${context.command("approve", `skill:${name}`)}`);
  const waits = waiting.length === 0 ? "" : `\n\nNot signed, so not read; the person runs:\n${waiting.join("\n")}`;
  return `${lines.join("\n")}\n- **templates**: working jobs to start from.\n\nRead one: skill_read {"name": "write-job"}.${waits}`;
}

async function templatesText(): Promise<string> {
  const templates = await listTemplates();
  const lines = templates.map((template) => `- **${template.name}**: ${template.description}`);
  return `${lines.join("\n")}\n\nRead one: skill_read {"name": "templates", "file": "${templates[0]?.name ?? "NAME"}"}.`;
}
