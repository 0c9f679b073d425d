import { expect, test } from "vitest";
import { tools } from "../../tools/table.ts";
import { jobRunnerTools } from "./agent-tools.ts";
import { findDefinitions } from "./find-definitions.ts";
import { roleManifestSchema } from "./role-manifest.ts";

const nowhere = { root: "/nowhere", roles: "", skills: "", mcpServers: "", commands: "" };
const shipped = await findDefinitions({ home: nowhere, skillPaths: [], env: {} });
const roles = shipped.found.flatMap(({ kind, name, manifest }) =>
  kind === "role" ? [{ name, role: roleManifestSchema.parse(manifest) }] : [],
);
const skills = shipped.found.filter(({ kind }) => kind === "skill").map(({ name }) => name);

test("every shipped role and skill can be read", () => {
  expect([...shipped.problems.values()].flat()).toEqual([]);
  expect(roles.map(({ name }) => name)).toEqual([
    "code-generator",
    "deployer",
    "integration-tester",
    "integrator",
    "monitor",
    "optimiser",
    "performance-analyser",
    "planner",
    "researcher",
    "reviewer",
    "roll-back-manager",
    "security-scanner",
    "summariser",
    "test-runner",
    "test-writer",
    "validator",
  ]);
  expect(skills).toContain("write-job");
});

test("the tools that roles may name are those that there are", () => {
  expect([...jobRunnerTools].sort()).toEqual(tools.map(({ name }) => name).sort());
});

test.each(roles)("the role $name is ready for a small local model", ({ role }) => {
  expect(role.skills.filter((name) => !skills.includes(name))).toEqual([]);
  expect(role.tools).toContain("answer");
  expect(role.tools.includes("command_run")).toBe(role.permissions.commands.length > 0);
  expect(role.tools.includes("file_write")).toBe(role.permissions.files.write.length > 0);
  expect(role.tools.includes("web_fetch")).toBe(role.permissions.net.length > 0);
  // About 1,000 tokens: the rest of the window belongs to the work.
  expect(role.instructions.length).toBeLessThan(3_000);
  expect(role.limits.outputTokens).toBeLessThan(role.limits.contextTokens / 2);
});

test("no shipped role writes outside of its own folder, reaches a cloud model, or may be started by another without end", () => {
  for (const { role } of roles) {
    expect([...role.permissions.files.read, ...role.permissions.files.write].every((folder) => folder === ".")).toBe(
      true,
    );
    expect(role.models).toEqual([]);
    expect(role.limits.depth).toBe(0);
  }
});
