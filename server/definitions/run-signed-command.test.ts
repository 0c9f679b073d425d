import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CommandManifest } from "./command-manifest.ts";
import { definitionsFixture, testCommand } from "./definitions-fixture.ts";
import { type CommandOrder, runSignedCommand } from "./run-signed-command.ts";

let it: Awaited<ReturnType<typeof definitionsFixture>>;
let cwd: string;
beforeAll(async () => {
  it = await definitionsFixture();
  cwd = mkdtempSync(join(tmpdir(), "jr-command-"));
});
afterAll(async () => {
  await it[Symbol.asyncDispose]();
  rmSync(cwd, { recursive: true });
});

/** Each test has a command of its own in the one store. */
let commands = 0;
const current = () => `node-${commands}`;
const token = "s3cret-token-value";

async function signed(manifest: Partial<CommandManifest>) {
  commands++;
  await it.storeDefinition("command", current(), testCommand(manifest));
  await it.sign("command", current());
}

function run(args: readonly string[], change: Partial<CommandOrder> = {}) {
  const secrets = () => ({ get: (name: string) => (name === "TOKEN" ? token : undefined), names: () => ["TOKEN"] });
  const deps = { ...it.deps, secrets, env: { ZONE: "UTC", HIDDEN: "yes" } };
  return runSignedCommand(deps, { name: current(), args, cwd, signal: new AbortController().signal, ...change });
}

test("a command runs once it is signed, in the given folder, without a shell", async () => {
  await it.storeDefinition("command", current(), testCommand({ args: ["-e", "*", "**"] }));
  await expect(run(["-e", "1"])).rejects.toMatchObject({
    code: "not_approved",
    next: expect.stringMatching(/approve command:node-0$/),
  });
  await it.sign("command", current());
  const code = "console.log(process.cwd()); console.log(process.argv.slice(1).join()); process.exitCode = 3";
  expect(await run(["-e", code, "$(id)", "a;b"])).toEqual({
    code: 3,
    stdout: `${cwd}\n$(id),a;b\n`,
    stderr: "",
    timedOut: false,
    truncated: false,
  });
});

test.each([
  [["-p", "1 + 1"], "2\n"],
  [["-p", "process.argv.length", "**"], "1\n"],
])("without arguments it gets the signed ones: %j", async (args, stdout) => {
  await signed({ args });
  expect(await run([])).toMatchObject({ code: 0, stdout });
});

test.each([[["-p", "1"]], [["-e"]], [[]], [["-e", "1", "2"]], [["-e", "a\0b"]]])(
  "arguments that do not fit what was signed are refused: %j",
  async (args) => {
    await signed({ args: ["-e", "*"] });
    await expect(run(args)).rejects.toMatchObject({ code: "permission_denied" });
  },
);

test("it gets the variables and secrets that were signed, and its output shows no secret", async () => {
  await signed({ args: ["-e", "*"], env: ["ZONE"], secrets: ["TOKEN"] });
  const shown: string[] = [];
  const { stdout } = await run(["-e", "console.log(JSON.stringify(process.env))"], {
    onOutput: (text) => shown.push(text),
  });
  const env: Record<string, string> = JSON.parse(stdout);
  expect(Object.keys(env).sort()).toEqual(["HOME", "LANG", "PATH", "TOKEN", "ZONE"]);
  expect(env.TOKEN).toMatch(/^jrsecret_token_/);
  expect(shown.join("")).toBe(stdout);
});

test("a secret without a value is named, and nothing starts", async () => {
  await signed({ secrets: ["OTHER"] });
  await expect(run([])).rejects.toMatchObject({ code: "secret_not_found", next: "jr secrets set OTHER" });
});

test("a command that takes too long is ended with all that it started, and what it said is kept", async () => {
  await signed({ args: ["-e", "*"], timeoutMs: 1_500 });
  const code = `console.log("begun"); require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" }); setInterval(() => {}, 1000)`;
  expect(await run(["-e", code])).toMatchObject({ code: null, stdout: "begun\n", timedOut: true });
});

test("what is too much is dropped, and the program goes on to its end", async () => {
  await signed({ args: ["-e", "*"], outputBytes: 1_000 });
  const ended = await run(["-e", "console.log('x'.repeat(5000)); process.exitCode = 4"]);
  expect(ended).toMatchObject({ code: 4, truncated: true });
  expect(ended.stdout).toHaveLength(1_000);
});

test("a command is ended when its caller stops, and says so", async () => {
  await signed({ args: ["-e", "*"] });
  const stop = new AbortController();
  const running = run(["-e", "console.log('on'); setInterval(() => {}, 1000)"], {
    signal: stop.signal,
    onOutput: () => stop.abort(new Error("stopped")),
  });
  await expect(running).rejects.toThrow("stopped");
});
