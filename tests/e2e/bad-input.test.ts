import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../server/home.ts";
import { type E2eHome, type E2eHost, e2eHome, must, saveJob } from "../support/e2e-home.ts";

const job = (body: string, more = "") => `import { defineJob } from "jobrunner";
export default defineJob({ description: "a test", ${more} async run({ log }) { ${body} } });
`;

let home: E2eHome;
let host: E2eHost;
beforeAll(async () => {
  home = await e2eHome();
  host = await home.host();
  await home.setUp();
});
afterAll(async () => {
  await host[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

/** What is submitted, and what the agent must read in the answer. */
const refused: [what: string, args: Record<string, unknown>, says: RegExp][] = [
  ["broken TypeScript", { name: "bad", source: "export default {" }, /compile_failed[\s\S]*bad\.ts:1/],
  ["a type error", { name: "bad", source: job("const n: number = 'x'; log.info(n);") }, /bad\.ts:2:\d+/],
  ["a job that throws at import", { name: "bad", source: `${job("")}throw new Error("at import");` }, /at import/],
  ["5 MB of source", { name: "bad", source: job(`"${"x".repeat(5_000_000)}"`) }, /at most 1\.0 MB/],
  ["a name with ../", { name: "../evil", source: job("") }, /invalid_name|name/],
  ["a cron that never fires", { name: "bad", source: job("", 'schedule: "0 0 30 2 *",') }, /never/],
  ["a cron with a wrong field", { name: "bad", source: job("", 'schedule: "61 * * * *",') }, /cron|minute/i],
  [
    "an unknown zone",
    { name: "bad", source: job("", 'schedule: { cron: "0 8 * * *", timezone: "Mars/One" },') },
    /Mars\/One/,
  ],
  ["an unknown permission", { name: "bad", source: job("", "permissions: { network: [] },") }, /network[\s\S]*net/],
  ["a Node built-in", { name: "bad", source: `import fs from "node:fs";\n${job("log.info(String(fs));")}` }, /node:fs/],
  ["eval", { name: "bad", source: job("eval('1');") }, /eval/],
  [
    "an import from outside the folder",
    { name: "bad", source: `import "../../etc/passwd";\n${job("")}` },
    /no file[\s\S]*passwd/,
  ],
  ["an unknown argument", { name: "bad", sauce: "x" }, /invalid_argument[\s\S]*source/],
];

test.each(refused)("job_submit refuses %s and says what to do", async (_, args, says) => {
  const { text, isError } = await host.call("job_submit", args);
  expect(text).toMatch(says);
  expect(isError).toBe(true);
  expect(text).toMatch(/next:|hint:/i);
});

test("nothing refused was stored, and an unknown tool is named", async () => {
  expect((await host.call("job_list")).text).not.toContain("bad");
  const unknown = await host.call("job_approve", { name: "x" }).catch((error) => ({ text: String(error) }));
  expect(unknown.text).toMatch(/job_approve/);
});

test("a reader that has seen enough, as `head` has, ends a command without a word", async () => {
  const program = join(packageRoot, "server", "jr.mjs");
  const child = spawn(process.execPath, [program, "skill", "list"], {
    env: home.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  const said = readText(child.stderr);
  expect(await once(child, "exit")).toEqual([141, null]);
  expect(await said).toBe("");
});

test("both day fields are put into words, and hidden characters are shown", async () => {
  const source = job('log.info("user\u202e nimda");', 'schedule: { cron: "0 9 1 * 1", timezone: "UTC" },');
  const { text } = await host.call("job_submit", { name: "odd", source });
  expect(text).toContain("U+202E");
  const review = must(await home.jr(["review", "odd"])).stdout;
  expect(review).toContain("U+202E");
  expect(review).not.toContain("\u202e");
  expect(review).toMatch(/1st|day 1/i);
  expect(review).toMatch(/or/);
});

describe("signing", () => {
  test("a wrong passphrase, no terminal and no passphrase sign nothing", async () => {
    saveJob(home, "plain", job('log.info("x");'));
    await expect.poll(async () => (await host.call("job_list")).text, { timeout: 20_000 }).toContain("plain");
    const wrong = await home.jr(["approve", "plain", "--yes", "--passphrase-stdin"], "wrong\n");
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("passphrase") });
    const piped = await home.jr(["approve", "plain", "--yes"], `${home.passphrase}\n`);
    expect(piped).toMatchObject({ code: 1, stderr: expect.stringContaining("terminal") });
    expect((await host.call("job_run", { name: "plain" })).text).toContain("not_approved");
  });

  test("a rejected version does not run, and the agent reads why", async () => {
    must(await home.jr(["reject", "plain", "--note", "too plain"]));
    expect((await host.call("job_review", { name: "plain" })).text).toContain("too plain");
    expect((await host.call("job_run", { name: "plain" })).text).toContain("not_approved");
  });

  test("a revoked version does not run", async () => {
    await host.mustCall("job_submit", { name: "gone", source: job('log.info("gone");') });
    must(await home.approve("gone"));
    expect((await host.call("job_run", { name: "gone", wait_seconds: 30 })).text).toContain("succeeded");
    must(await home.jr(["revoke", "gone", "--yes", "--passphrase-stdin"], `${home.passphrase}\n`));
    expect((await host.call("job_run", { name: "gone" })).text).toContain("not_approved");
  });

  test("going back needs a signature, and then the old code runs", async () => {
    for (const word of ["one", "two"]) {
      await host.mustCall("job_submit", { name: "back", source: job(`log.info("${word}"); return "${word}";`) });
      must(await home.approve("back"));
    }
    const asked = await host.call("job_control", { name: "back", action: "propose_rollback", version: 1 });
    expect(asked.text).toContain("activate back v1");
    expect((await host.call("job_run", { name: "back", wait_seconds: 30 })).text).toContain("two");
    must(await home.jr(["activate", "back", "v1", "--yes", "--passphrase-stdin"], `${home.passphrase}\n`));
    expect((await host.call("job_run", { name: "back", wait_seconds: 30 })).text).toContain("one");
  });

  test("an agent lifts its own pause and not the person's", async () => {
    await host.mustCall("job_control", { name: "back", action: "pause" });
    expect((await host.call("job_control", { name: "back", action: "resume" })).isError).toBe(false);
    must(await home.jr(["pause", "back"]));
    expect((await host.call("job_control", { name: "back", action: "resume" })).isError).toBe(true);
    must(await home.jr(["resume", "back", "--yes", "--passphrase-stdin"], `${home.passphrase}\n`));
    expect((await host.call("job_run", { name: "back", wait_seconds: 30 })).text).toContain("succeeded");
  });
});

describe("the daemon", () => {
  test("a second one is told who holds the home", async () => {
    const second = await home.jr(["daemon"]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(String(home.daemonPid()));
  });

  test("a host that vanishes in mid-call harms nobody", async () => {
    const other = await home.host();
    const call = other.call("job_review", { name: "odd", wait_seconds: 50 }).catch(() => "gone");
    await other[Symbol.asyncDispose]();
    expect(await call).toBe("gone");
    expect((await host.call("status")).isError).toBe(false);
  });

  test("a corrupted config is named with its line, and the daemon that runs goes on", async () => {
    const file = join(home.env.JOBRUNNER_HOME ?? "", "config.yaml");
    const good = readFileSync(file, "utf8");
    writeFileSync(file, `${good}\nhttp:\n  prot: 1\n`);
    const said = await home.jr(["config", "check"]);
    writeFileSync(file, good);
    expect(said.code).toBe(1);
    expect(said.stderr).toMatch(/config\.yaml:\d+[\s\S]*prot[\s\S]*port/);
    expect((await host.call("status")).isError).toBe(false);
  });
});
