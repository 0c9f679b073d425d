import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EffectSetup, performEffect, prepareEffect } from "../../tests/support/effects.ts";
import { testManifest, testPermissions } from "../../tests/support/runs.ts";
import type { ExecGrant } from "../jobs/manifest.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "jobrunner-exec-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const shell: ExecGrant = { command: "/bin/sh", args: ["-c", "*"], cwd: null, env: {}, repeatable: false };

type Given = EffectSetup & Readonly<{ grant?: Partial<ExecGrant>; stdin?: string; cwd?: string; args?: string[] }>;

/** Runs a script by a granted shell; its outputs as text. */
async function exec(script: string, { grant = {}, stdin, cwd, args, ...setup }: Given = {}) {
  const granted = { ...shell, ...grant };
  const order = {
    command: granted.command,
    args: args ?? ["-c", script],
    cwd: cwd ?? null,
    stdin: stdin === undefined ? null : Buffer.from(stdin).toString("base64"),
  };
  const permissions = { exec: [granted] };
  const result = Object(
    await performEffect("exec", order, { permissions, runFolder: join(root, "run"), responseBytes: 100_000, ...setup }),
  );
  const text = (data: string) => Buffer.from(data, "base64").toString();
  return { code: result.code, signal: result.signal, stdout: text(result.stdout), stderr: text(result.stderr) };
}

/** Settles once no process has that id any more. */
async function gone(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
}

function isAlive(pid: number): boolean {
  try {
    // A zombie is dead; who reaps it is not ours to say.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("a program gets its arguments, its input and a small environment in the run's folder", async () => {
  expect(
    await exec('cat; echo "$1" >&2; exit 3', { stdin: "hällo", args: ["-c", "cat; echo err >&2; exit 3"] }),
  ).toEqual({
    code: 3,
    signal: null,
    stdout: "hällo",
    stderr: "err\n",
  });
  const { stdout } = await exec("pwd; env | grep -v '^_=\\|^SHLVL=\\|^PWD=\\|^OLDPWD=' | sort", {
    grant: { env: { TZ: "UTC" } },
  });
  expect(stdout.trim().split("\n")).toEqual([
    join(root, "run"),
    `HOME=${homedir()}`,
    "LANG=C.UTF-8",
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "TZ=UTC",
  ]);
  expect(statSync(join(root, "run")).mode & 0o777).toBe(0o700);
  expect(await exec("kill -9 $$")).toMatchObject({ code: null, signal: "SIGKILL" });
  // One that does not read its input does no harm.
  expect(await exec("exit 0", { stdin: "x".repeat(500_000) })).toMatchObject({ code: 0 });
});

test("a program starts in the folder of its grant, and nowhere else", async () => {
  mkdirSync(join(root, "project"));
  const grant = { cwd: join(root, "project") };
  expect(await exec("pwd", { grant })).toMatchObject({ stdout: `${grant.cwd}\n` });
  expect(await exec("pwd", { grant, cwd: grant.cwd })).toMatchObject({ stdout: `${grant.cwd}\n` });
  await expect(exec("pwd", { grant, cwd: root })).rejects.toMatchObject({ code: "permission_denied" });
  await expect(exec("pwd", { cwd: root })).rejects.toThrow("cwd");
  await expect(exec("pwd", { grant: { cwd: join(root, "none") } })).rejects.toMatchObject({ code: "exec_failed" });
});

test("what no pattern covers is refused before anything starts, in rehearsals too", () => {
  const permissions = testPermissions({ exec: [shell, { ...shell, args: ["-c", "date"], repeatable: true }] });
  const manifest = testManifest({ permissions });
  const prepare = (command: string, ...args: string[]) =>
    prepareEffect("exec", { command, args, cwd: null, stdin: null }, manifest);
  expect(prepare("/bin/sh", "-c", "date").safe).toBe(false);
  expect(() => prepare("/bin/sh", "-x")).toThrow("one pattern for each");
  expect(() => prepare("sh", "-c", "date")).toThrow("permissions.exec in defineJob");
  expect(() => prepare("/bin/../bin/sh", "-c", "date")).toThrow("permissions.exec in defineJob");
  expect(() => prepare("/bin/sh", "-c", "a\0b")).toThrow("NUL");
  const repeatable = testManifest({ permissions: testPermissions({ exec: [{ ...shell, repeatable: true }] }) });
  const order = { command: "/bin/sh", args: ["-c", "date"], cwd: null, stdin: null };
  expect(prepareEffect("exec", order, repeatable).safe).toBe(true);
});

test("what cannot be started says so", async () => {
  writeFileSync(join(root, "plain"), "#!/bin/sh\n", { mode: 0o644 });
  writeFileSync(join(root, "broken"), "#!/no/such/interpreter\n", { mode: 0o755 });
  for (const command of [join(root, "none"), join(root, "plain"), join(root, "broken"), root]) {
    const started = exec("", { grant: { command, args: [] }, args: [] });
    await expect(started).rejects.toMatchObject({ code: "exec_failed" });
  }
});

test("no process of the group stays behind, even one that holds the pipes", async () => {
  const { stdout, code } = await exec("sleep 300 & echo $!; (trap '' TERM HUP; sleep 300) & echo $!; exit 0");
  expect(code).toBe(0);
  for (const pid of stdout.trim().split("\n")) await gone(Number(pid));
});

test("one that left the group does not hold up the run", async () => {
  const left = 'until [ "$(cut -d" " -f6 /proc/$!/stat)" = $! ]; do :; done';
  const { stdout } = await exec(`setsid sleep 300 & ${left}; echo $!`);
  expect(isAlive(Number(stdout))).toBe(true);
  process.kill(Number(stdout), "SIGKILL");
});

test("the end of the attempt ends the group, also where it ignores SIGTERM", async () => {
  const stop = new AbortController();
  const pids = join(root, "pids");
  const script = `trap '' TERM; sleep 300 & echo $! > ${pids}.new; echo $$ >> ${pids}.new; mv ${pids}.new ${pids}; wait; sleep 300`;
  const run = exec(script, { signal: stop.signal });
  const failed = expect(run).rejects.toThrow("the attempt ended");
  await expect.poll(() => existsSync(pids), { timeout: 10_000 }).toBe(true);
  stop.abort(new Error("the attempt ended"));
  await failed;
  for (const pid of readFileSync(pids, "utf8").trim().split("\n")) await gone(Number(pid));
  await expect(exec("echo", { signal: stop.signal })).rejects.toThrow("the attempt ended");
});

test("a flood of output ends the program and names the limit", async () => {
  const flood = exec("yes", { responseBytes: 10_000 });
  await expect(flood).rejects.toMatchObject({ code: "limit_exceeded" });
  await expect(flood).rejects.toThrow("limits.responseBytes");
  expect(await exec("printf 12345; printf 12345 >&2", { responseBytes: 10 })).toMatchObject({ code: 0 });
  await expect(exec("printf 12345; printf 123456 >&2", { responseBytes: 10 })).rejects.toThrow("more than 10 bytes");
  await expect(exec("cat", { stdin: "123456", limits: { requestBytes: 5 } })).rejects.toThrow("limits.requestBytes");
});

test("granted secrets are masked in the outputs and in what is shown meanwhile", async () => {
  const shown: string[] = [];
  const { stdout, stderr } = await exec("echo key=s3cr3t-value; echo s3cr3t-value >&2; seq 2000", {
    grants: { KEY: ["api.example.org"] },
    values: { KEY: "s3cr3t-value" },
    progress: (tail) => shown.push(tail),
  });
  expect(stdout).toMatch(/^key=jrsecret_key_[0-9a-f]{16}\n1\n/);
  expect(stderr).toMatch(/^jrsecret_key_[0-9a-f]{16}\n$/);
  expect(shown.length).toBeGreaterThan(0);
  expect(shown.join("")).not.toContain("s3cr3t");
  expect(shown.at(-1)?.length).toBeLessThanOrEqual(2_000);
});
