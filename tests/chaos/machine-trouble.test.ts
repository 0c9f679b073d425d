import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, type TestContext, test } from "vitest";
import { type E2eHome, e2eHome, must, saveJob } from "../support/e2e-home.ts";
import { startCluster } from "../support/postgres-cluster.ts";

/* What befalls the machine, for as long as the test makes it last: nothing that was accepted is lost, and nobody has to lend a hand. */

const source = `import { defineJob } from "jobrunner";
export default defineJob({
  description: "writes and logs",
  limits: { runsPerHour: 100000, timeout: "10m" },
  schedule: { cron: "0 0 1 1 *", overlap: "allow" },
  async run({ kv, log, run }) {
    for (let n = 0; n < 20; n++) {
      await kv.set(run.run + "." + n, crypto.randomUUID().repeat(500));
      log.info("step " + n);
    }
    return "whole";
  },
});
`;

async function withJob(home: E2eHome): Promise<number> {
  home.setUpUnprotected();
  saveJob(home, "writing", source);
  must(await home.jr(["start"]));
  await expect.poll(async () => (await home.jr(["job", "writing"])).code, { timeout: 60_000 }).toBe(0);
  must(await home.approve("writing"));
  must(await home.jr(["run", "writing", "--wait"]));
  return home.daemonPid();
}

/** Asks for a run; its number where it was accepted. */
async function ask(home: E2eHome): Promise<string | undefined> {
  const { code, stdout } = await home.jr(["run", "writing"]);
  return code === 0 ? /R\d+/.exec(stdout)?.[0] : undefined;
}

/** Each is done, and with all that it logged. */
async function allWhole(home: E2eHome, runs: readonly string[]): Promise<void> {
  for (const run of runs) {
    const read = async () => JSON.parse((await home.jr(["show", run, "--json"])).stdout || "{}").run ?? {};
    await expect.poll(async () => (await read()).state, { timeout: 120_000, message: run }).toBe("succeeded");
    expect((await read()).output).toBe('"whole"');
    const { stdout: log } = must(await home.jr(["log", run]));
    expect(log.match(/step \d+/g)).toEqual(Array.from({ length: 20 }, (_, n) => `step ${n}`));
  }
}

test("a PostgreSQL that is away: said at once, and afterwards every accepted run is done by the same daemon", {
  timeout: 600_000,
}, async (context) => {
  const cluster = await startCluster();
  if (cluster === undefined) return skip(context, "no PostgreSQL server of its own");
  try {
    await using home = await e2eHome({ databaseUrl: cluster.url });
    const daemon = await withJob(home);
    const runs: string[] = [];
    for (let n = 0; n < 5; n++) runs.push((await ask(home)) ?? "none");
    cluster.down();
    try {
      const { code, stderr } = await home.jr(["status"]);
      expect([code, stderr]).toEqual([1, expect.stringContaining("The database does not answer")]);
      expect((await home.jr(["run", "writing"])).stderr).toContain("The database does not answer");
      expect((await home.jr(["doctor"])).stdout).toMatch(/fail store\s+The database does not answer/);
    } finally {
      cluster.up();
    }
    await expect.poll(() => ask(home), { timeout: 60_000 }).toBeDefined();
    await allWhole(home, runs);
    expect(home.daemonPid()).toBe(daemon);
  } finally {
    cluster.stop();
  }
});

test("a full disk: said, and once there is room every accepted run is done by the same daemon", {
  timeout: 600_000,
}, async (context) => {
  const disk = mkdtempSync(join(tmpdir(), "jobrunner-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=160m", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    rmSync(disk, { recursive: true });
    return skip(context, "no right to mount a small disk");
  }
  try {
    await using home = await e2eHome({ parent: disk });
    const daemon = await withJob(home);
    const runs: string[] = [];
    let refusal = "";
    const accept = async () => {
      const { code, stdout, stderr } = await home.jr(["run", "writing"]);
      refusal = code === 0 ? "" : stderr;
      if (code === 0) runs.push(/R\d+/.exec(stdout)?.[0] ?? "none");
      return code;
    };
    for (let n = 0; n < 3; n++) await accept();
    fill(disk);
    // Until one is not accepted any more: the database has some room of its own.
    await expect.poll(accept, { timeout: 120_000, interval: 1 }).toBe(1);
    expect(refusal).toContain("disk is full");
    expect((await home.jr(["doctor"])).stdout).toMatch(/fail disk space/);
    for (const name of readdirSync(disk)) if (name.startsWith("filler")) rmSync(join(disk, name));
    await expect.poll(accept, { timeout: 60_000 }).toBe(0);
    await allWhole(home, runs);
    expect(home.daemonPid()).toBe(daemon);
  } finally {
    execFileSync("umount", ["--lazy", disk]);
    rmSync(disk, { recursive: true });
  }
});

test("too many open files: once there may be more, every accepted run is done by the same daemon", {
  timeout: 600_000,
}, async (context) => {
  if (process.platform !== "linux") return skip(context, "no prlimit");
  await using home = await e2eHome();
  const daemon = await withJob(home);
  const limit = (files: string) => execFileSync("prlimit", ["--pid", String(daemon), `--nofile=${files}:`]);
  const before = execFileSync("prlimit", ["--pid", String(daemon), "--nofile", "--output", "SOFT", "--noheadings"]);
  const runs: string[] = [];
  for (let n = 0; n < 3; n++) runs.push((await ask(home)) ?? "none");
  const open = readdirSync(`/proc/${daemon}/fd`).length;
  limit(String(open));
  try {
    // Calls come and go on what is left of it; whether one is accepted is not what counts.
    for (let n = 0; n < 3; n++) {
      const run = await Promise.race([
        ask(home),
        new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 5_000)),
      ]);
      if (run !== undefined) runs.push(run);
    }
  } finally {
    limit(before.toString().trim());
  }
  await expect.poll(() => ask(home), { timeout: 60_000 }).toBeDefined();
  await allWhole(home, runs);
  expect(home.daemonPid()).toBe(daemon);
});

/** Leaves no byte. */
function fill(disk: string): void {
  for (const size of [1024 * 1024, 64 * 1024, 4 * 1024]) {
    for (let n = 0; ; n++) {
      try {
        writeFileSync(join(disk, `filler-${size}-${n}`), Buffer.alloc(size));
      } catch {
        break;
      }
    }
  }
}

/** Loudly: what is not proven here must not look as if it were. */
function skip(context: TestContext, why: string): void {
  process.stderr.write(`\n*** NOT RUN: "${context.task.name}": ${why}\n\n`);
  context.skip(why);
}
