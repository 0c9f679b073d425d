import { z } from "zod";
import { type Diagnostic, problem } from "../jobs/diagnostic.ts";
import { type Folders, freezePath } from "../jobs/freeze-path.ts";
import { findNameProblem as findJobNameProblem } from "../jobs/job-name.ts";
import type { NetGrant } from "../jobs/manifest.ts";
import type { ManifestProblem } from "../jobs/manifest-problems.ts";
import { parseHost } from "../jobs/net-host.ts";
import { nearestWord } from "../nearest-word.ts";
import type { DefinitionKind } from "../store/tables.ts";
import { agentTools } from "./agent-tools.ts";
import { findNameProblem } from "./definition-name.ts";
import { type Parsed, parseFrontmatter } from "./definition-text.ts";
import { type DeclaredRole, roleDeclaration } from "./role-declaration.ts";
import { anyHost, ownFolder, type RoleManifest } from "./role-manifest.ts";

const longestInstructions = 60_000;

/** Reads a role's Markdown file: frontmatter that says what it may do, and below it the instructions. */
export function parseRole(text: string, file: string, folders: Folders): Parsed<RoleManifest> {
  const parsed = parseFrontmatter(text, roleDeclaration, file);
  if (!parsed.ok) return parsed;
  const { data, lineOf, body } = parsed.value;
  const problems: Diagnostic[] = [];
  const add = (path: readonly string[], { message, hint }: Omit<ManifestProblem, "path">) =>
    problems.push(problem(file, message, hint, { line: lineOf(...path) }));
  if (body === "") problems.push(problem(file, "it has no instructions", "write them below the second ---"));
  if (body.length > longestInstructions)
    problems.push(
      problem(
        file,
        `its instructions have more than ${longestInstructions} characters`,
        "put what is looked up into a skill",
      ),
    );
  checkTools(data, add);
  checkNames("skill", data.skills, ["skills"], add);
  checkNames("command", data.permissions.commands, ["permissions", "commands"], add);
  checkNames("mcp_server", Object.keys(data.mcp), ["mcp"], add);
  for (const job of data.permissions.jobs) {
    const message = findJobNameProblem(job);
    if (message !== undefined) add(["permissions", "jobs"], { message, hint: "jr jobs lists the jobs" });
  }
  checkAnswer(data, add);
  const net = freezeNet(data, add);
  const files = {
    read: freezeFolders(data.permissions.files.read, "read", folders, add),
    write: freezeFolders(data.permissions.files.write, "write", folders, add),
  };
  if (problems.length > 0) return { ok: false, problems };
  const { timeout, ...limits } = data.limits;
  return {
    ok: true,
    value: {
      description: data.description,
      instructions: body,
      models: data.models,
      skills: sorted(data.skills),
      mcp: Object.fromEntries(Object.entries(data.mcp).map(([server, tools]) => [server, sorted(tools)])),
      tools: sorted(data.tools),
      permissions: { net, files, commands: sorted(data.permissions.commands), jobs: sorted(data.permissions.jobs) },
      answer: data.answer,
      temperature: data.temperature,
      limits: { ...limits, timeoutMs: timeout },
    },
  };
}

type Add = (path: readonly string[], found: Omit<ManifestProblem, "path">) => void;

function checkTools({ tools }: DeclaredRole, add: Add): void {
  for (const [at, tool] of tools.entries()) {
    if (agentTools.includes(tool)) continue;
    const near = nearestWord(tool, agentTools);
    add(["tools", String(at)], {
      message: `there is no tool ${JSON.stringify(tool.slice(0, 80))}`,
      hint: near === undefined ? `known: ${agentTools.join(", ")}` : `did you mean "${near}"?`,
    });
  }
}

function checkNames(kind: DefinitionKind, names: readonly string[], path: readonly string[], add: Add): void {
  for (const name of names) {
    const message = findNameProblem(kind, name);
    if (message !== undefined) add(path, { message, hint: null });
  }
}

function checkAnswer({ answer }: DeclaredRole, add: Add): void {
  if (answer === null) return;
  try {
    z.fromJSONSchema(answer);
  } catch {
    add(["answer"], { message: "the answer is no JSON Schema that can be checked", hint: "begin with type: object" });
  }
}

function freezeNet({ permissions: { net } }: DeclaredRole, add: Add): NetGrant[] {
  const frozen = net.flatMap((written, at): NetGrant[] => {
    const path = ["permissions", "net", String(at)];
    const { host, port = null, private: isPrivate = false } = typeof written === "string" ? { host: written } : written;
    if (host === anyHost) return [{ host: anyHost, port: null, private: false }];
    const parsed = parseHost(host);
    if (!parsed.ok) {
      add(path, { message: parsed.message, hint: `${parsed.hint}; "*" alone stands for every public host` });
      return [];
    }
    const named = parsed.host;
    return [{ host: named.host, port: port ?? named.port, private: isPrivate || named.private }];
  });
  const keyOf = ({ host, port }: NetGrant) => `${host}:${port}`;
  return [...new Map(frozen.map((grant) => [keyOf(grant), grant])).values()].sort((a, b) =>
    keyOf(a) < keyOf(b) ? -1 : 1,
  );
}

function freezeFolders(written: readonly string[], access: "read" | "write", folders: Folders, add: Add): string[] {
  const frozen = written.flatMap((each, at) => {
    if (each === ownFolder) return [ownFolder];
    const found: ManifestProblem[] = [];
    const path = freezePath(each, "", folders, found);
    for (const { message, hint } of found) add(["permissions", "files", access, String(at)], { message, hint });
    return path === undefined ? [] : [path];
  });
  return sorted(frozen);
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort();
}
