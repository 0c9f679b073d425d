import type { ListResourcesResult, ReadResourceResult, ResourceTemplate } from "@modelcontextprotocol/sdk/types.js";
import { jobSourceText } from "../../tools/job-read.ts";
import { reviewOf, withSecrets } from "../../tools/job-review.ts";
import { runLogText } from "../../tools/run-read.ts";
import { listReadableSkills, readAnySkill } from "../../tools/signed-skills.ts";
import type { ToolContext } from "../../tools/tool-context.ts";
import { UserError } from "../errors.ts";
import { listJobs } from "../jobs/read.ts";
import { listTemplates, readTemplate } from "../jobs/templates.ts";
import { requireRun } from "../runs/read.ts";

/** What can be read by URI. Hosts without resources reach the same with job_read, job_review, run_read and skill_read. */
export const resourceTemplates: ResourceTemplate[] = [
  template("job://{name}/source", "Job source", "Every file of a job's newest version"),
  template("job://{name}/review", "Job review", "What the person is asked to sign, or has signed"),
  template("run://{run}/log", "Run log", "The end of a run's log, such as run://R12/log"),
  template("skill://{name}/{file}", "Skill", "A file of a skill, such as skill://write-job/SKILL.md"),
  template("template://{name}", "Job template", "Source of a template", "text/typescript"),
];

const listedJobs = 100;
const logLines = 500;

/** Skills, templates and the first jobs; everything else is found by its URI. */
export async function listResources(context: ToolContext): Promise<ListResourcesResult> {
  const [{ skills }, templates, jobs] = await Promise.all([
    listReadableSkills(context),
    listTemplates(),
    listJobs(context, { limit: listedJobs }),
  ]);
  return {
    resources: [
      ...skills.flatMap((skill) =>
        skill.files.map((file) => ({
          uri: `skill://${skill.name}/${file}`,
          name: `${skill.name}/${file}`,
          mimeType: "text/markdown",
        })),
      ),
      ...templates.map(({ name, description }) => ({
        uri: `template://${name}`,
        name,
        description,
        mimeType: "text/typescript",
      })),
      ...jobs.rows.map(({ name }) => ({
        uri: `job://${name}/source`,
        name: `${name} source`,
        mimeType: "text/markdown",
      })),
    ],
  };
}

/** Throws `invalid_argument` for a URI of no known form, and what reading the thing itself throws. */
export async function readResource(context: ToolContext, uri: string): Promise<ReadResourceResult> {
  const { text, mimeType } = await contentOf(context, uri);
  return { contents: [{ uri, mimeType, text }] };
}

async function contentOf(context: ToolContext, uri: string): Promise<{ text: string; mimeType: string }> {
  const [, scheme, name = "", rest = ""] = /^([a-z]+):\/\/([^/?#]+)(?:\/([^?#]+))?$/.exec(uri) ?? [];
  const markdown = (text: string) => ({ text, mimeType: "text/markdown" });
  switch (`${scheme}/${scheme === "skill" ? "" : rest}`) {
    case "job/source":
      return markdown(await jobSourceText(context, { name, version: undefined, file: undefined }));
    case "job/review":
      return markdown(await withSecrets(context, await reviewOf(context, name, undefined)));
    case "run/log":
      return markdown(
        await runLogText(context, await requireRun(context.store.db, name), { attempt: undefined, tail: logLines }),
      );
    case "skill/":
      return markdown(await readAnySkill(context, name, rest));
    case "template/":
      return { text: (await readTemplate(name)).source, mimeType: "text/typescript" };
    default:
      throw new UserError("invalid_argument", "No resource has a URI of that form.", {
        next: resourceTemplates.map((each) => each.uriTemplate).join(", "),
      });
  }
}

function template(
  uriTemplate: string,
  name: string,
  description: string,
  mimeType = "text/markdown",
): ResourceTemplate {
  return { uriTemplate, name, description, mimeType };
}
