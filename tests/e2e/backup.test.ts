import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { packageRoot } from "../../server/home.ts";
import { silentLog } from "../../server/log.ts";
import { openStore } from "../../server/store/open-store.ts";
import { type E2eHome, e2eHome, must, saveJob } from "../support/e2e-home.ts";
import { createTestDatabase, storeKinds } from "../support/store.ts";

const source = `import { defineJob } from "jobrunner";
export default defineJob({
  description: "Writes and logs",
  limits: { runsPerHour: 100000 },
  schedule: { cron: "0 0 1 1 *", overlap: "allow" },
  async run({ kv, log, run }) {
    for (let n = 0; n < 5; n++) { await kv.set(run.run, n); log.info("step " + n); }
    return run.run;
  },
});
`;

const asking = `import { defineJob } from "jobrunner";
export default defineJob({
  description: "Asks, and may reach a host",
  permissions: { net: ["example.org"] },
  async run({ ask }) { return ask("Go on?", { choices: ["yes", "no"] }); },
});
`;

const role = `---
description: Reads and says what it read
tools: [file_read, answer]
permissions:
  files: { read: [.] }
---
Read what you are given.
`;

/** The folder of a home, and where its store is, as the environment says. */
const placeOf = ({ env }: E2eHome) => ({
  dataDir: join(env.JOBRUNNER_HOME ?? "", "data"),
  databaseUrl: env.DATABASE_URL ?? null,
});

async function withJobs(home: E2eHome): Promise<void> {
  home.setUpUnprotected();
  saveJob(home, "writing", source);
  saveJob(home, "asking", asking);
  must(await home.jr(["start"]));
  for (const job of ["writing", "asking"]) {
    await expect.poll(async () => (await home.jr(["job", job])).code, { timeout: 60_000 }).toBe(0);
    must(await home.approve(job));
  }
}

/** A role that the person signed, a plan that has ended, and one that waits for the person. */
async function withPlans(home: E2eHome): Promise<void> {
  const place = home.env.JOBRUNNER_HOME ?? "";
  mkdirSync(join(place, "roles"), { recursive: true });
  writeFileSync(join(place, "roles", "house.md"), role);
  await expect.poll(async () => (await home.approve("role:house")).code, { timeout: 60_000 }).toBe(0);
  const goal = join(home.root, "goal.yaml");
  writeFileSync(goal, "goal: write\nnodes: [{ key: write, job: writing }]\n");
  must(await home.jr(["plan-run", goal]));
  writeFileSync(goal, "goal: agree\nnodes: [{ key: agree, kind: person, prompt: Agree? }]\n");
  must(await home.jr(["plan-run", goal, "--no-wait"]));
}

test("a backup under load is consistent, and what is restored elsewhere goes on", { timeout: 300_000 }, async () => {
  await using home = await e2eHome();
  await withJobs(home);
  must(await home.jr(["run", "asking"]));
  await withPlans(home);
  const over = new AbortController();
  const load = (async () => {
    for (let asked = 0; ; asked += 1) {
      if (over.signal.aborted) return asked;
      must(await home.jr(["run", "writing"]));
    }
  })();
  await expect
    .poll(async () => (await home.jr(["show", "R4", "--json"])).stdout, { timeout: 60_000 })
    .toContain("succeeded");
  const file = join(home.root, "backup.tar.gz");
  must(await home.jr(["backup", file]));
  over.abort();
  expect(await load).toBeGreaterThan(1);
  expect(await home.jr(["backup", file])).toMatchObject({ code: 1, stderr: expect.stringContaining("there already") });

  await using other = await e2eHome({ bare: true });
  rmSync(other.jobs, { recursive: true });
  const restored = must(await other.jr(["restore", file]));
  expect(restored.stdout).toContain("R1");
  expect(restored.stdout).toContain("Plans that had not ended are stopped: P2.");
  await requireConsistent(other);
  must(await other.jr(["start"]));
  // The key, the approvals and the jobs folder came along.
  must(await other.jr(["run", "writing", "--wait"]));
  expect(must(await other.jr(["show", "R1"])).stdout).toContain("needs_decision");
  expect(must(await other.jr(["role", "list"])).stdout).toMatch(/^house +v1 +home/m);
  expect(must(await other.jr(["plans"])).stdout).toMatch(/P2 +stopped[\s\S]*P1 +succeeded/);
  const result = join(other.env.JOBRUNNER_HOME ?? "", "plans", "P1", "write", "output.md");
  expect(readFileSync(result, "utf8")).toContain("R2");
  must(await other.jr(["plans", "resume", "P2"]));
  must(await other.jr(["plans", "cancel", "P2"]));
  must(await other.jr(["answer", "R1", "resume"]));
  await expect.poll(async () => (await other.jr(["answer", "R1"])).stdout, { timeout: 60_000 }).toContain("yes | no");
  must(await other.jr(["answer", "R1", "yes"]));
  await expect
    .poll(async () => (await other.jr(["show", "R1", "--json"])).stdout, { timeout: 60_000 })
    .toContain('"succeeded"');
  expect(must(await other.jr(["jobs"])).stdout).not.toContain("paused");
});

/** Each run that has ended has its attempt, each effect and line of the log, and nothing belongs to nobody. */
async function requireConsistent(home: E2eHome): Promise<void> {
  await using store = await openStore({ ...placeOf(home), log: silentLog });
  const { db } = store;
  const runs = await db.selectFrom("runs").selectAll().where("state", "=", "succeeded").execute();
  expect(runs.length).toBeGreaterThan(0);
  for (const { id } of runs) {
    const rows = async (table: "attempts" | "journal" | "run_logs") =>
      (await db.selectFrom(table).select("run_id").where("run_id", "=", id).execute()).length;
    expect([await rows("attempts"), await rows("journal"), await rows("run_logs")], `R${id}`).toEqual([1, 5, 5]);
    const value = await db.selectFrom("kv").select("value").where("key", "=", `R${id}`).executeTakeFirst();
    expect(value?.value, `R${id}`).toBe("4");
  }
}

test("a restore that is killed at any moment leaves the old state, or says how to reach the new one", {
  timeout: 300_000,
}, async () => {
  await using home = await e2eHome();
  await withJobs(home);
  must(await home.jr(["run", "writing", "--wait"]));
  const file = join(home.root, "backup.tar.gz");
  must(await home.jr(["stop"]));
  must(await home.jr(["backup", file]));
  const root = home.env.JOBRUNNER_HOME ?? "";
  /** Restores, and kills that at the moment when `sign` is there. False where it had ended by then. */
  async function killRestoreAt(sign: string): Promise<boolean> {
    const program = join(packageRoot, "server", "jr.mjs");
    const child = spawn(process.execPath, [program, "restore", file, "--replace"], { env: home.env, stdio: "ignore" });
    const gone = new Promise((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
    while (!existsSync(sign) && child.exitCode === null) await sleep(1);
    child.kill("SIGKILL");
    return (await gone) === "SIGKILL";
  }
  for (const sign of [join(root, "restoring"), join(root, "restoring", "plan.json")]) {
    let killed = false;
    // A busy machine may look too late.
    for (let tries = 0; !killed && tries < 5; tries += 1) killed = await killRestoreAt(sign);
    expect(killed).toBe(true);
    const started = await home.jr(["start"]);
    if (started.code !== 0) {
      expect(started.stderr).toContain("cut off before its last steps");
      expect(must(await home.jr(["restore"])).stdout).toContain("Finished the restore");
      must(await home.jr(["start"]));
    }
    expect(must(await home.jr(["show", "R1"])).stdout).toContain("succeeded");
    must(await home.jr(["stop"]));
  }
  must(await home.jr(["restore", file, "--replace"]));
  expect(readdirSync(root).filter((name) => name.includes("restoring"))).toEqual([]);
});

test.runIf(process.env.TEST_STORE === "pglite" && storeKinds.includes("postgres"))(
  "everything moves to PostgreSQL and back, and the old store is kept",
  { timeout: 300_000 },
  async () => {
    const database = await createTestDatabase();
    try {
      await using home = await e2eHome();
      await withJobs(home);
      must(await home.jr(["run", "writing", "--wait"]));
      expect(await home.jr(["migrate-store", "--to", database.url])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("holds the home folder"),
      });
      must(await home.jr(["stop"]));
      expect(must(await home.jr(["migrate-store", "--to", database.url])).stdout).toContain("each the same in both");
      // Without the new address nothing starts, rather than an empty store.
      expect((await home.jr(["start"])).code).toBe(1);
      home.env.DATABASE_URL = database.url;
      must(await home.jr(["start"]));
      must(await home.jr(["run", "writing", "--wait"]));
      expect(must(await home.jr(["status"])).stdout).toContain("PostgreSQL");
      must(await home.jr(["stop"]));
      must(await home.jr(["migrate-store", "--to", "embedded"]));
      delete home.env.DATABASE_URL;
      must(await home.jr(["start"]));
      for (const run of ["R1", "R2"]) expect(must(await home.jr(["show", run])).stdout).toContain("succeeded");
      const kept = readdirSync(home.env.JOBRUNNER_HOME ?? "").filter((name) => name.startsWith("moved-"));
      expect(kept).toHaveLength(1);
      await using old = await openStore({ dataDir: "", databaseUrl: database.url, log: silentLog });
      expect(await old.db.selectFrom("runs").select("id").execute()).toHaveLength(2);
    } finally {
      await database.drop();
    }
  },
);
