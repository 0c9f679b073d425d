import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { z } from "zod";
import { homePaths, packageRoot } from "../../server/home.ts";
import { createKeyFile, publicKeyOf, writeKeyFile } from "../../server/review/key-file.ts";
import { addTrustedKey } from "../../server/review/trusted-keys.ts";
import { copySharedDatabase, createTestDatabase } from "./store.ts";

export type Said = Readonly<{ code: number; stdout: string; stderr: string }>;

/** An MCP host: a real client over stdio to `jr mcp`. */
export type E2eHost = AsyncDisposable &
  Readonly<{
    client: Client;
    call(name: string, args?: Record<string, unknown>): Promise<{ text: string; isError: boolean }>;
    /** The text of the answer. Throws with it where the call is refused. */
    mustCall(name: string, args?: Record<string, unknown>): Promise<string>;
  }>;

/** A home folder of its own with everything in it, driven through `jr` and `jr mcp` alone. */
export type E2eHome = AsyncDisposable &
  Readonly<{
    root: string;
    jobs: string;
    env: Record<string, string>;
    /** The passphrase of the signing key, where it has one. */
    passphrase: string;
    jr(args: readonly string[], input?: string): Promise<Said>;
    /** Makes the signing key by `jr setup`, with a passphrase: a second of computing there and at each signature. */
    setUp(): Promise<void>;
    /** Writes a signing key without a passphrase, for tests of something else. */
    setUpUnprotected(): void;
    /** Signs as the person would, all of them with one passphrase. */
    approve(...names: string[]): Promise<Said>;
    host(): Promise<E2eHost>;
    daemonPid(): number;
  }>;

const program = join(packageRoot, "server", "jr.mjs");
const toolResult = z.object({
  content: z.array(z.object({ type: z.literal("text"), text: z.string() })),
  isError: z.boolean().optional(),
});

/**
 * A fresh home on the store that TEST_STORE names, or on the database that is given, in the parent folder that is given. Where tests
 * share them, it begins with a database without rows and with compiled code, unless it is to be `bare`. Disposing it stops the daemon and
 * removes everything but a given database.
 */
export async function e2eHome(given: { databaseUrl?: string; parent?: string; bare?: boolean } = {}): Promise<E2eHome> {
  const root = realpathSync(mkdtempSync(join(given.parent ?? tmpdir(), "jobrunner-e2e-")));
  const jobs = join(root, "jobs");
  mkdirSync(jobs);
  const home = join(root, "home");
  mkdirSync(home, { mode: 0o700 });
  const ownDatabase = given.databaseUrl === undefined && process.env.TEST_STORE === "postgres";
  const database = ownDatabase ? await createTestDatabase({ migrated: !given.bare }) : undefined;
  const databaseUrl = given.databaseUrl ?? database?.url;
  const shared = given.bare ? undefined : process.env.TEST_SHARED;
  if (!given.bare && databaseUrl === undefined) copySharedDatabase(join(home, "data"));
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? "",
    HOME: root,
    JOBRUNNER_HOME: home,
    JOBRUNNER_JOBS: jobs,
    JOBRUNNER_PORT: "0",
    NO_COLOR: "1",
    ...(shared ? { NODE_COMPILE_CACHE: join(shared, "compiled") } : {}),
    ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
  };
  const passphrase = "correct horse battery staple";
  const jr = (args: readonly string[], input = "") => runJr(args, input, env);

  return {
    root,
    jobs,
    env,
    passphrase,
    jr,
    async setUp() {
      must(await jr(["setup", "--passphrase-stdin"], `${passphrase}\n${passphrase}\n`));
    },
    setUpUnprotected() {
      const paths = homePaths(env);
      const file = createKeyFile({ passphrase: null, label: null, now: new Date() });
      writeKeyFile(paths.approverKey, file);
      addTrustedKey(paths, publicKeyOf(file), new Date());
    },
    approve: (...names) => jr(["approve", ...names, "--yes", "--passphrase-stdin"], `${passphrase}\n`),
    host: () => connectHost(env),
    daemonPid: () => z.object({ pid: z.int() }).parse(JSON.parse(readFileSync(join(home, "daemon.json"), "utf8"))).pid,
    async [Symbol.asyncDispose]() {
      await jr(["stop"]);
      await database?.drop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Throws with what a command said where it failed. */
export function must(said: Said): Said {
  if (said.code !== 0) throw new Error(`exit code ${said.code}\n${said.stdout}\n${said.stderr}`);
  return said;
}

/** A job's source file in the jobs folder, as an editor saves it. */
export function saveJob(home: E2eHome, name: string, source: string): void {
  writeFileSync(join(home.jobs, `${name}.ts`), source);
}

function runJr(args: readonly string[], input: string, env: Record<string, string>): Promise<Said> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { env, stdio: "pipe" });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.once("error", reject).once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

async function connectHost(env: Record<string, string>): Promise<E2eHost> {
  const client = new Client({ name: "e2e-host", version: "1.0.0" });
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [program, "mcp"], env, stderr: "ignore" }),
  );
  const call: E2eHost["call"] = async (name, args = {}) => {
    const { content, isError } = toolResult.parse(await client.callTool({ name, arguments: args }));
    return { text: content.map((part) => part.text).join("\n"), isError: isError === true };
  };
  return {
    client,
    call,
    async mustCall(name, args) {
      const { text, isError } = await call(name, args);
      if (isError) throw new Error(`${name} was refused: ${text}`);
      return text;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}
