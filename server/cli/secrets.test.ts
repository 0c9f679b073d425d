import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { homePaths } from "../home.ts";
import { command } from "./secrets.ts";

/** Runs `jr secrets …` with this on standard input and gives back what it printed. */
async function jrSecrets(root: string, args: string[], stdin = ""): Promise<string> {
  const stdout = new PassThrough();
  const env = { JOBRUNNER_HOME: root };
  const signal = new AbortController().signal;
  const streams = { stdin: Readable.from([Buffer.from(stdin)]), stdout, stderr: stdout };
  const context = { env, home: homePaths(env), ...streams, colour: false, interactive: false, signal };
  await command(context).parseAsync(args, { from: "user" });
  return String(stdout.read() ?? "");
}

test("a value is set from a pipe, listed by name only, replaced and removed", async () => {
  const root = mkdtempSync(join(tmpdir(), "jobrunner-cli-secrets-"));
  try {
    const said = [
      await jrSecrets(root, ["list"]),
      await jrSecrets(root, ["set", "KEY"], "the-first-value\n"),
      await jrSecrets(root, ["set", "KEY"], "the-other-value\n"),
      await jrSecrets(root, ["list"]),
      await jrSecrets(root, ["remove", "KEY"]),
    ];
    expect(said.map((text) => text.split(" in ")[0]?.trim())).toEqual([
      "No secrets are set. To set one: jr secrets set NAME",
      "KEY set",
      "KEY replaced",
      "KEY",
      "KEY removed.",
    ]);
    expect(said.join()).not.toContain("value\n");
    await expect(jrSecrets(root, ["set", "KEY"], "tiny\n")).rejects.toThrow("at least 6 characters");
    await expect(jrSecrets(root, ["set", "no-name"], "long-enough")).rejects.toThrow("no name for a secret");
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});
