import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Home } from "../home.ts";
import { packageRoot } from "../home.ts";
import { type Diagnostic, problem } from "../jobs/diagnostic.ts";
import type { DefinitionKind, DefinitionOrigin } from "../store/tables.ts";
import { version } from "../version.ts";
import { findNameProblem } from "./definition-name.ts";
import { parseCommands } from "./parse-commands.ts";
import { parseMcpServers } from "./parse-mcp-servers.ts";
import { parseRole } from "./parse-role.ts";
import { parseSkill } from "./parse-skill.ts";
import { readSkillFolder } from "./read-skill-folder.ts";
import { readTextFile } from "./read-text-file.ts";
import type { FoundDefinition } from "./store-definitions.ts";

/** Where definitions are looked for. */
export type DefinitionPlaces = Readonly<{
  home: Pick<Home, "root" | "roles" | "skills" | "mcpServers" | "commands">;
  /** Folders with skills of other origin, absolute. */
  skillPaths: readonly string[];
  /** Of the daemon: programs of MCP servers are found on its PATH. */
  env: NodeJS.ProcessEnv;
  /** Folder with `templates/roles` and `skills`; another one in tests. */
  shipped?: string;
}>;

/** What stands on disk now. */
export type DefinitionsOnDisk = Readonly<{
  found: readonly FoundDefinition[];
  /** What could not be read, by file. */
  problems: ReadonlyMap<string, readonly Diagnostic[]>;
  /** `kind:name` of whatever has a file, whether it can be read or not. */
  seen: ReadonlySet<string>;
  /** Kinds of which a whole file could not be read, so that nobody knows what it named. */
  unread: ReadonlySet<DefinitionKind>;
}>;

/** Where the shipped roles and skills are below the package's root. */
export const shippedRoles = join("templates", "roles");
export const shippedSkills = "skills";

/**
 * Looks at every place: what is in the home folder takes the place of what comes with the program, and configured paths stand between.
 * A file with a mistake hides what it would take the place of, so that a slip does not bring back something else unseen.
 */
export async function findDefinitions(places: DefinitionPlaces): Promise<DefinitionsOnDisk> {
  const { home, skillPaths, env, shipped = packageRoot } = places;
  const found = new Map<string, FoundDefinition>();
  const problems = new Map<string, readonly Diagnostic[]>();
  const seen = new Set<string>();
  const unread = new Set<DefinitionKind>();
  const folders = { user: homedir(), own: home.root };
  const tell = (file: string, list: readonly Diagnostic[]) => {
    if (list.length > 0) problems.set(file, [...(problems.get(file) ?? []), ...list]);
  };
  const isNew = (kind: DefinitionKind, name: string) => {
    const id = `${kind}:${name}`;
    return !seen.has(id) && seen.add(id) !== undefined;
  };
  const add = (definition: Omit<FoundDefinition, "proposedBy">) => {
    const proposedBy = definition.origin === "shipped" ? `shipped ${version}` : "folder";
    found.set(`${definition.kind}:${definition.name}`, { ...definition, proposedBy });
  };

  for (const [folder, origin] of [
    [home.roles, "home"],
    [join(shipped, shippedRoles), "shipped"],
  ] as const) {
    for (const entry of await entriesOf(folder)) {
      const name = /^(.+)\.md$/.exec(entry)?.[1];
      if (name === undefined || entry.startsWith(".") || /^readme\.md$/i.test(entry)) continue;
      const path = join(folder, entry);
      const wrongName = findNameProblem("role", name);
      if (wrongName !== undefined) tell(path, [problem(path, wrongName, "rename the file")]);
      if (wrongName !== undefined || !isNew("role", name)) continue;
      const read = await readTextFile(path);
      if (read === undefined || !("text" in read)) {
        if (read !== undefined) tell(path, [problem(path, "problem" in read ? read.problem : "it is no text")]);
        continue;
      }
      const parsed = parseRole(read.text, path, folders);
      if (!parsed.ok) tell(path, parsed.problems);
      else
        add({
          kind: "role",
          name,
          origin,
          path: shownPath(origin, path, shipped),
          files: new Map([[entry, read.text]]),
          manifest: parsed.value,
        });
    }
  }

  const skillFolders: (readonly [string, DefinitionOrigin])[] = [
    [home.skills, "home"],
    ...skillPaths.map((path) => [path, "path"] as const),
    [join(shipped, shippedSkills), "shipped"],
  ];
  for (const [folder, origin] of skillFolders) {
    for (const name of await entriesOf(folder, { folders: true })) {
      if (name.startsWith(".") || name === "node_modules") continue;
      const path = join(folder, name);
      const wrongName = findNameProblem("skill", name);
      if (wrongName !== undefined) tell(path, [problem(path, wrongName, "rename the folder")]);
      if (wrongName !== undefined || !isNew("skill", name)) continue;
      const read = await readSkillFolder(path);
      if ("problem" in read) {
        const file = join(path, read.file);
        tell(file, [problem(file, read.problem)]);
        continue;
      }
      const parsed = parseSkill(name, read.texts, read.leftOut, join(path, "SKILL.md"));
      if (!parsed.ok) tell(join(path, "SKILL.md"), parsed.problems);
      else
        add({
          kind: "skill",
          name,
          origin,
          path: shownPath(origin, path, shipped),
          files: read.texts,
          manifest: parsed.value,
        });
    }
  }

  await readListFile("mcp_server", home.mcpServers, (text, path) => {
    const { servers, names, problems: wrong } = parseMcpServers(text, path, env);
    return { entries: servers.map((each) => ({ ...each, file: `${each.name}.json` })), names, wrong };
  });
  await readListFile("command", home.commands, (text, path) => {
    const { commands, names, problems: wrong } = parseCommands(text, path, folders);
    return { entries: commands.map((each) => ({ ...each, file: `${each.name}.yaml` })), names, wrong };
  });

  /** A file that names several of one kind. */
  async function readListFile(
    kind: DefinitionKind,
    path: string,
    parse: (
      text: string,
      path: string,
    ) => {
      entries: readonly { name: string; source: string; manifest: unknown; file: string }[];
      names: readonly string[];
      wrong: readonly Diagnostic[];
    },
  ): Promise<void> {
    const read = await readTextFile(path);
    if (read === undefined) return;
    if (!("text" in read)) {
      unread.add(kind);
      return tell(path, [problem(path, "problem" in read ? read.problem : "it is no text")]);
    }
    const { entries, names, wrong } = parse(read.text, path);
    tell(path, wrong);
    if (names.length === 0 && wrong.length > 0) unread.add(kind);
    for (const name of names) seen.add(`${kind}:${name}`);
    for (const { name, source, manifest, file } of entries)
      add({ kind, name, origin: "home", path, files: new Map([[file, source]]), manifest });
  }

  return { found: [...found.values()], problems, seen, unread };
}

/** Of what comes with the program, the path below its root: the same on every machine. */
function shownPath(origin: DefinitionOrigin, path: string, shipped: string): string {
  return origin === "shipped" ? path.slice(shipped.length + 1) : path;
}

/** Names of a folder's plain files, or of its folders; links are among them, and refused where they are read. None where there is no folder. */
async function entriesOf(folder: string, { folders = false } = {}): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => (folders ? entry.isDirectory() : entry.isFile() || entry.isSymbolicLink()))
    .map(({ name }) => name)
    .sort();
}
