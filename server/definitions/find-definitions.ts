import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Home } from "../home.ts";
import { packageRoot } from "../home.ts";
import { type Diagnostic, problem } from "../jobs/diagnostic.ts";
import type { DefinitionKind, DefinitionOrigin } from "../store/tables.ts";
import { type Collector, createCollector, type DefinitionsOnDisk } from "./collect-definitions.ts";
import { parseCommands } from "./parse-commands.ts";
import { parseMcpServers } from "./parse-mcp-servers.ts";
import { parseRole } from "./parse-role.ts";
import { parseSkill } from "./parse-skill.ts";
import { readSkillFolder } from "./read-skill-folder.ts";
import { readTextFile } from "./read-text-file.ts";

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

/** A folder to look into; `shownBelow` is what its paths are shown without. */
type Place = Readonly<{ folder: string; origin: DefinitionOrigin; shownBelow: string }>;

/**
 * Looks at every place: what is in the home folder takes the place of what comes with the program, and configured paths stand between.
 * A file with a mistake hides what it would take the place of, so that a slip does not bring back something else unseen.
 */
export async function findDefinitions(places: DefinitionPlaces): Promise<DefinitionsOnDisk> {
  const { home, skillPaths, env, shipped = packageRoot } = places;
  const collector = createCollector();
  const folders = { user: homedir(), own: home.root };
  const ofHome = (folder: string) => ({ folder, origin: "home", shownBelow: "" }) as const;
  // Shown below the package's root, which is the same on every machine.
  const ofProgram = (folder: string) => ({ folder, origin: "shipped", shownBelow: join(shipped, "/") }) as const;

  for (const place of [ofHome(home.roles), ofProgram(join(shipped, "templates", "roles"))])
    await findRoles(collector, place, (text, path) => parseRole(text, path, folders));
  const elsewhere = skillPaths.map((folder) => ({ folder, origin: "path", shownBelow: "" }) as const);
  for (const place of [ofHome(home.skills), ...elsewhere, ofProgram(join(shipped, "skills"))])
    await findSkills(collector, place);
  await findListed(collector, "mcp_server", home.mcpServers, (text, path) => {
    const { servers, ...rest } = parseMcpServers(text, path, env);
    return { ...rest, entries: servers.map((each) => ({ ...each, file: `${each.name}.json` })) };
  });
  await findListed(collector, "command", home.commands, (text, path) => {
    const { commands, ...rest } = parseCommands(text, path, folders);
    return { ...rest, entries: commands.map((each) => ({ ...each, file: `${each.name}.yaml` })) };
  });
  return collector.result();
}

async function findRoles(
  collector: Collector,
  place: Place,
  parse: (text: string, path: string) => ReturnType<typeof parseRole>,
): Promise<void> {
  for (const { name: entry, isFolder } of await entriesOf(place.folder)) {
    const name = /^(.+)\.md$/.exec(entry)?.[1];
    if (name === undefined || isFolder || entry.startsWith(".") || /^readme\.md$/i.test(entry)) continue;
    const path = join(place.folder, entry);
    if (!collector.begin("role", name, path, "rename the file")) continue;
    const read = await readTextFile(path);
    if (read === undefined) continue;
    if (!("text" in read)) {
      collector.tell(path, [problem(path, "problem" in read ? read.problem : "it is no text")]);
      continue;
    }
    const parsed = parse(read.text, path);
    if (!parsed.ok) collector.tell(path, parsed.problems);
    else
      add(collector, place, { kind: "role", name, path, files: new Map([[entry, read.text]]), manifest: parsed.value });
  }
}

async function findSkills(collector: Collector, place: Place): Promise<void> {
  for (const { name, isFolder, isLink } of await entriesOf(place.folder)) {
    if (name.startsWith(".") || name === "node_modules" || !(isFolder || isLink)) continue;
    const path = join(place.folder, name);
    if (!collector.begin("skill", name, path, "rename the folder")) continue;
    if (isLink) {
      collector.tell(path, [
        problem(
          path,
          "it is a symbolic link",
          "put the folder itself there, or the one that it lies in under skills.paths in config.yaml",
        ),
      ]);
      continue;
    }
    const read = await readSkillFolder(path);
    if ("problem" in read) {
      const file = join(path, read.file);
      collector.tell(file, [problem(file, read.problem)]);
      continue;
    }
    const parsed = parseSkill(name, read.texts, read.leftOut, join(path, "SKILL.md"));
    if (!parsed.ok) collector.tell(join(path, "SKILL.md"), parsed.problems);
    else add(collector, place, { kind: "skill", name, path, files: read.texts, manifest: parsed.value });
  }
}

type Listed = Readonly<{
  entries: readonly Readonly<{ name: string; source: string; manifest: unknown; file: string }>[];
  /** Everything that the file names, whether it can be read or not. */
  names: readonly string[];
  problems: readonly Diagnostic[];
}>;

/** A file that names several of one kind. */
async function findListed(
  collector: Collector,
  kind: DefinitionKind,
  path: string,
  parse: (text: string, path: string) => Listed,
): Promise<void> {
  const read = await readTextFile(path);
  if (read === undefined) return;
  if (!("text" in read)) {
    collector.leaveUnread(kind);
    collector.tell(path, [problem(path, "problem" in read ? read.problem : "it is no text")]);
    return;
  }
  const { entries, names, problems } = parse(read.text, path);
  collector.tell(path, problems);
  if (names.length === 0 && problems.length > 0) collector.leaveUnread(kind);
  for (const name of names) collector.see(kind, name);
  for (const { name, source, manifest, file } of entries)
    collector.add({ kind, name, origin: "home", path, files: new Map([[file, source]]), manifest });
}

function add(
  collector: Collector,
  { origin, shownBelow }: Place,
  found: Omit<Parameters<Collector["add"]>[0], "origin">,
): void {
  collector.add({ ...found, origin, path: found.path.slice(shownBelow.length) });
}

type Entry = Readonly<{ name: string; isFolder: boolean; isLink: boolean }>;

/** What is in a folder, by name; nothing where there is no folder. */
async function entriesOf(folder: string): Promise<Entry[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory(), isLink: entry.isSymbolicLink() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
