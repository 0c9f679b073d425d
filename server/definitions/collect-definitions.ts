import { type Diagnostic, problem } from "../jobs/diagnostic.ts";
import type { DefinitionKind } from "../store/tables.ts";
import { version } from "../version.ts";
import { findNameProblem } from "./definition-name.ts";
import type { FoundDefinition } from "./store-definitions.ts";

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

/** Gathers what one look at the disk finds; what is seen first takes the place of what comes later. */
export type Collector = Readonly<{
  /** Whether a file is to be read: its name is a good one, which is told otherwise, and nothing has taken its place. */
  begin(kind: DefinitionKind, name: string, path: string, hint: string): boolean;
  see(kind: DefinitionKind, name: string): void;
  add(definition: Omit<FoundDefinition, "proposedBy">): void;
  tell(file: string, problems: readonly Diagnostic[]): void;
  leaveUnread(kind: DefinitionKind): void;
  result(): DefinitionsOnDisk;
}>;

export function createCollector(): Collector {
  const found = new Map<string, FoundDefinition>();
  const problems = new Map<string, readonly Diagnostic[]>();
  const seen = new Set<string>();
  const unread = new Set<DefinitionKind>();
  const tell = (file: string, list: readonly Diagnostic[]) => {
    if (list.length > 0) problems.set(file, [...(problems.get(file) ?? []), ...list]);
  };
  return {
    begin(kind, name, path, hint) {
      const wrong = findNameProblem(kind, name);
      if (wrong !== undefined) {
        tell(path, [problem(path, wrong, hint)]);
        return false;
      }
      const id = `${kind}:${name}`;
      if (seen.has(id)) return false;
      seen.add(id);
      return true;
    },
    see: (kind, name) => void seen.add(`${kind}:${name}`),
    add(definition) {
      const proposedBy = definition.origin === "shipped" ? `shipped ${version}` : "folder";
      found.set(`${definition.kind}:${definition.name}`, { ...definition, proposedBy });
    },
    tell,
    leaveUnread: (kind) => void unread.add(kind),
    result: () => ({ found: [...found.values()], problems, seen, unread }),
  };
}
