import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { copySharedDatabase } from "../../tests/support/store.ts";
import { jrProgram } from "../daemon/write-launcher.ts";
import { type Home, homePaths } from "../home.ts";

export type JrResult = Readonly<{ code: number; stdout: string; stderr: string }>;

/** A home folder of its own with the real program, for tests. Disposing it stops whatever daemon runs there. */
export type JrFixture = AsyncDisposable &
  Readonly<{
    home: Home;
    jobsFolder: string;
    jr(...args: string[]): Promise<JrResult>;
    /** A process that goes on; wait for its output with `output`. */
    spawnJr(...args: string[]): ChildProcess;
  }>;

/** Makes a home without rows in its store, where tests share one, else an empty one; `extra` joins the environment of every command. */
export function jrFixture(extra: NodeJS.ProcessEnv = {}): JrFixture {
  const root = mkdtempSync(join(tmpdir(), "jr-test-"));
  const jobsFolder = join(root, "jobs");
  const { DATABASE_URL: _, ...env } = process.env;
  const all = { ...env, JOBRUNNER_HOME: join(root, "home"), JOBRUNNER_JOBS: jobsFolder, JOBRUNNER_PORT: "0", ...extra };
  const home = homePaths(all);
  copySharedDatabase(home.data);
  const children: ChildProcess[] = [];

  const jr = (...args: string[]) =>
    new Promise<JrResult>((resolve) => {
      execFile(process.execPath, [jrProgram, ...args], { env: all, timeout: 60_000 }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr });
      });
    });
  return {
    home,
    jobsFolder,
    jr,
    spawnJr(...args) {
      const child = spawn(process.execPath, [jrProgram, ...args], { env: all, stdio: ["ignore", "pipe", "pipe"] });
      children.push(child);
      return child;
    },
    async [Symbol.asyncDispose]() {
      await jr("stop");
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const gone = once(child, "exit");
        child.kill("SIGKILL");
        await gone;
      }
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Resolves with everything a process has written once it matches; rejects with it where the process ends before. */
export function output(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const onData = (chunk: Buffer) => {
      text += chunk.toString();
      if (pattern.test(text)) resolve(text);
    };
    child.stdout?.on("data", onData);
    child.stderr?.on("data", onData);
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
}
