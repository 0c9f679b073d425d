import { UserError } from "../errors.ts";
import type { DefinitionKind } from "../store/tables.ts";

/** What versions are signed of. */
export type SignedKind = "job" | DefinitionKind;

/** One of them by name. */
export type Subject = Readonly<{ kind: SignedKind; name: string }>;

/** What a person writes before the name, such as `role:researcher`; a job is its name alone. */
const prefixes = { role: "role", skill: "skill", mcp_server: "mcp", command: "command" } as const;

/** What a person calls it. */
const nouns = { job: "job", role: "role", skill: "skill", mcp_server: "MCP server", command: "command" } as const;

/** Every kind besides jobs. */
export const definitionKinds = ["role", "skill", "mcp_server", "command"] as const;

/** Whether a kind of the chain is one whose versions are signed. */
export function isSignedKind(kind: string): kind is SignedKind {
  return Object.hasOwn(nouns, kind);
}

/** The subject as a person writes it: `feed-watch`, `role:researcher`, `mcp:github`. */
export function subjectWord({ kind, name }: Subject): string {
  return kind === "job" ? name : `${prefixes[kind]}:${name}`;
}

/** The subject in a sentence: `role "researcher"`. */
export function subjectNoun({ kind, name }: Subject): string {
  return `${nouns[kind]} "${name}"`;
}

/** The same at the beginning of one. */
export function subjectTitle(subject: Subject): string {
  const noun = subjectNoun(subject);
  return `${noun[0]?.toUpperCase()}${noun.slice(1)}`;
}

/**
 * What a person wrote; without a prefix it is a job. Throws `invalid_argument` for a prefix that there is not.
 * @public
 */
export function parseSubject(word: string): Subject {
  const [, prefix, name] = /^([a-z_]+):(.+)$/i.exec(word) ?? [];
  if (prefix === undefined || name === undefined) return { kind: "job", name: word };
  const kind = definitionKinds.find((each) => prefixes[each] === prefix || each === prefix);
  if (kind !== undefined) return { kind, name };
  throw new UserError("invalid_argument", `There is no kind "${prefix.slice(0, 40)}".`, {
    next: `a job's name, or one of ${Object.values(prefixes)
      .map((each) => `${each}:NAME`)
      .join(", ")}`,
  });
}
