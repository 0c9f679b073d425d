import type { GetPromptResult, Prompt } from "@modelcontextprotocol/sdk/types.js";
import { fence } from "../../tools/fence.ts";
import { readSkill, skillBody } from "../../tools/skill-files.ts";
import type { ToolContext } from "../../tools/tool-context.ts";
import { UserError } from "../errors.ts";
import { nearestWord } from "../nearest-word.ts";

/** The prompts; each is the skill of the same name with the person's words added. */
export const promptList: Prompt[] = [
  {
    name: "write-job",
    title: "Write a job",
    description: "Write a recurring automation, get it to compile, submit it and hand it to the person for approval",
    arguments: [{ name: "request", description: "What the job should do, in plain words", required: false }],
  },
  {
    name: "approve-job",
    title: "Present a job for approval",
    description: "Show the person what a job's new version does and may touch, and wait for their decision",
    arguments: [{ name: "name", description: "The job's name", required: true }],
  },
  {
    name: "triage-failures",
    title: "Triage failed runs",
    description: "Find out why runs failed, and fix the jobs or say what the person must do",
    arguments: [{ name: "job", description: "Only this job", required: false }],
  },
  {
    name: "plan-work",
    title: "Plan work",
    description:
      "Split a goal into a graph of work, run it with agents, jobs and people, and bring the results together",
    arguments: [{ name: "goal", description: "What is to be reached, in plain words", required: false }],
  },
];

/** Throws `invalid_argument` for an unknown prompt or argument. */
export async function getPrompt(
  _context: ToolContext,
  params: { name: string; arguments?: Record<string, string> | undefined },
): Promise<GetPromptResult> {
  const prompt = promptList.find((candidate) => candidate.name === params.name);
  if (prompt === undefined) {
    const names = promptList.map((candidate) => candidate.name);
    const guess = nearestWord(params.name, names);
    throw new UserError(
      "invalid_argument",
      `No such prompt.${guess === undefined ? "" : ` Did you mean "${guess}"?`}`,
      {
        next: `one of ${names.join(", ")}`,
      },
    );
  }
  const given = params.arguments ?? {};
  const known = prompt.arguments ?? [];
  const names = known.map((argument) => argument.name).join(", ");
  for (const key of Object.keys(given)) {
    if (known.some((argument) => argument.name === key)) continue;
    throw new UserError("invalid_argument", `The prompt ${prompt.name} takes ${names} and nothing else.`);
  }
  for (const { name, required } of known) {
    if (required && !given[name]) throw new UserError("invalid_argument", `The prompt ${prompt.name} needs ${name}.`);
  }
  const skill = skillBody(await readSkill(prompt.name, "SKILL.md"));
  const details = Object.entries(given).map(([key, value]) => `${key}:\n${fence(value)}`);
  return {
    description: prompt.description ?? prompt.name,
    messages: [{ role: "user", content: { type: "text", text: [...details, skill].join("\n\n") } }],
  };
}
