import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../server/home.ts";
import { compileJob } from "../server/jobs/compile.ts";
import { listSkills, parseFrontmatter, readSkill, skillBody } from "./skill-files.ts";

const names = readdirSync(join(packageRoot, "skills")).sort();

it("lists every skill of the folder", async () => {
  expect((await listSkills()).map((skill) => skill.name)).toEqual(names);
});

describe.each(names)("the skill %s", (name) => {
  it("has frontmatter as the Agent Skills format wants it", async () => {
    const text = await readSkill(name, "SKILL.md");
    const frontmatter = parseFrontmatter(text);
    expect(frontmatter.name).toBe(name);
    expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(frontmatter.description).toMatch(/[Uu]se it|[Rr]ead it/);
    expect(skillBody(text)).toMatch(/^# /);
  });

  it("names tools without any host's prefix, and fits into one answer", async () => {
    const text = await readSkill(name, "SKILL.md");
    expect(text).not.toMatch(/mcp__|jobrunner__|jobrunner:job_/);
    expect(text.length).toBeLessThan(34_000);
  });

  it("shows jobs that compile", async () => {
    const text = await readSkill(name, "SKILL.md");
    const sources = Array.from(text.matchAll(/^```ts job\n([\s\S]*?)^```$/gm), (match) => match[1] ?? "");
    if (name === "write-job") expect(sources.length).toBeGreaterThan(2);
    for (const source of sources) {
      const compiled = await compileJob({
        folder: null,
        files: new Map([["example.ts", Buffer.from(source)]]),
        entry: "example.ts",
      });
      expect(compiled.ok ? [] : compiled.diagnostics).toEqual([]);
    }
  });
});

it.each([
  ["../../package.json", "SKILL.md"],
  ["write-job", "../jobrunner/SKILL.md"],
  ["write-job", "/etc/passwd"],
  ["write-job", "..%2fjobrunner/SKILL.md"],
  ["write-job", "SKILL.md\u0000"],
  [".", "write-job/SKILL.md"],
  ["__proto__", "SKILL.md"],
  ["write-jobs", "SKILL.md"],
])("nothing but a skill's own files is read: %j %j", async (name, file) => {
  await expect(readSkill(name, file)).rejects.toMatchObject({ code: "skill_not_found", next: "skill_read {}" });
});
