import { approvalsFixture, testTime } from "../review/approvals-fixture.ts";
import { signDecision } from "../review/sign.ts";
import type { DefinitionKind } from "../store/tables.ts";
import type { CommandManifest } from "./command-manifest.ts";
import type { RoleManifest } from "./role-manifest.ts";
import { storeDefinitions } from "./store-definitions.ts";

/** A role that may do nothing, with what a test changes; its file holds its instructions. */
export function testRole(change: Partial<RoleManifest> = {}): RoleManifest {
  return {
    description: "Reads and says what it read",
    instructions: "Read it.",
    models: [],
    skills: [],
    mcp: {},
    tools: ["answer"],
    permissions: { net: [], files: { read: [], write: [] }, commands: [], jobs: [] },
    answer: null,
    temperature: null,
    limits: {
      turns: 10,
      toolCalls: 20,
      tokens: 50_000,
      usd: 0.5,
      timeoutMs: 60_000,
      contextTokens: 8_192,
      outputTokens: 1_024,
      depth: 0,
    },
    ...change,
  };
}

/** A command that starts Node, with what a test changes. */
export function testCommand(change: Partial<CommandManifest> = {}): CommandManifest {
  return {
    description: "Runs node",
    program: process.execPath,
    args: ["**"],
    cwd: null,
    env: [],
    secrets: [],
    timeoutMs: 30_000,
    outputBytes: 10_000,
    ...change,
  };
}

/** The fixture of approvals, with definitions that are stored and signed as the person's door does it. */
export async function definitionsFixture() {
  const fixture = await approvalsFixture();
  const { db, key, headNow, record, deps } = fixture;

  const store = async (kind: DefinitionKind, name: string, given: object, changed?: string) => {
    const own = "instructions" in given && typeof given.instructions === "string" ? given.instructions : "Read it.";
    const text = changed ?? own;
    const manifest = kind === "role" ? { ...given, instructions: text } : given;
    const file = kind === "role" ? `${name}.md` : kind === "skill" ? "SKILL.md" : `${name}.json`;
    const found = {
      kind,
      name,
      origin: "home",
      path: file,
      files: new Map([[file, text]]),
      manifest,
      proposedBy: "folder",
    } as const;
    return storeDefinitions(deps, [found], { folderOf: () => "here:/home", now: testTime });
  };
  const draft = async (kind: DefinitionKind, name: string, number?: number) => {
    let query = db.selectFrom("definitions").selectAll().where("kind", "=", kind).where("name", "=", name);
    if (number !== undefined) query = query.where("number", "=", number);
    const row = await query.orderBy("number", "desc").executeTakeFirstOrThrow();
    return {
      kind,
      name,
      version: row.number,
      source: row.source_hash,
      bundle: row.bundle_hash,
      manifest: row.manifest_hash,
      compiler: row.compiler,
      runtime: row.runtime,
      decision: "approve",
      time: testTime.toISOString(),
      previous: await headNow(),
    } as const;
  };
  const sign = async (kind: DefinitionKind, name: string, number?: number) =>
    record(signDecision(key, await draft(kind, name, number)));
  const revoke = async (kind: DefinitionKind, name: string) =>
    record(
      signDecision(key, { kind, name, decision: "revoke", time: testTime.toISOString(), previous: await headNow() }),
    );
  return {
    ...fixture,
    storeDefinition: store,
    draftOf: draft,
    sign,
    revoke,
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}
