import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { compileJob } from "./compile.ts";

const types = await readFile(new URL("../sandbox/jobrunner.d.ts", import.meta.url), "utf8");

/** The code of every `@example`, with the name of what follows it. */
const examples = [...types.matchAll(/@example\n((?: *\*(?!\/).*\n)+) *\*\/\n *(.*)/g)].map(
  ([, lines = "", next = ""]) => ({
    of: next.replace(/^(export|declare) /, "").slice(0, 60),
    code: lines.replace(/^ *\* ?/gm, ""),
  }),
);

/** An example is a whole job, a value, or lines of a job's run(). */
function asJob(code: string): string {
  if (code.startsWith("export default")) return `import { defineJob } from "jobrunner";\n${code}`;
  const body = code.startsWith("{") ? `const value = ${code}; void value;` : code;
  return `import { defineJob, PermanentError, z } from "jobrunner";
const [text, notes] = z.tuple([z.string(), z.string()]).parse(["text", "notes"]);
export default defineJob({
  description: "an example",
  async run({ kv, secrets, log, run, files, artifacts, llm, notify, exec, sleep, ask, jobs, tasks, agents }) {
    void [kv, secrets, log, run, files, artifacts, llm, notify, exec, sleep, ask, jobs, tasks, agents, text, notes, PermanentError];
    {
      ${body}
    }
  },
});`;
}

test("every part of the job API has an example", () => {
  const shown = examples.map(({ of }) => of).join("\n");
  for (const part of [
    "Kv",
    "Secrets",
    "Log",
    "Files",
    "Artifacts",
    "Jobs",
    "Tasks",
    "Agents",
    "Schedule",
    "Triggers",
    "RunEvent",
    "Permissions",
    "PermanentError",
    "fetch",
  ]) {
    expect(shown).toContain(part);
  }
  for (const part of ["notify", "exec", "sleep", "defineJob", "generate", "choices"]) {
    expect(examples.map(({ code }) => code).join("\n")).toContain(part);
  }
});

test.each(examples)("the example of $of compiles", async ({ code }) => {
  const files = new Map([["example.ts", Buffer.from(asJob(code))]]);
  const result = await compileJob({ entry: "example.ts", files, folder: undefined });
  expect(result.ok ? [] : result.diagnostics).toEqual([]);
});
