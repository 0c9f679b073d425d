import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createAdaptorServer } from "@hono/node-server";
import type { Command } from "commander";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { testToolContext } from "../../tests/support/mcp-context.ts";
import { addAttempt } from "../../tests/support/runs.ts";
import { jobsApi } from "../daemon/api/jobs.ts";
import { runsApi } from "../daemon/api/runs.ts";
import { UserError } from "../errors.ts";
import { homePaths } from "../home.ts";
import { approvalsFixture } from "../review/approvals-fixture.ts";
import { claim } from "../runs/queue/claim.ts";
import { settle } from "../runs/queue/settle.ts";
import { command as cancel } from "./cancel.ts";
import { command as connect } from "./connect.ts";
import type { CliContext } from "./context.ts";
import { command as diff } from "./diff.ts";
import { command as job } from "./job.ts";
import { command as jobs } from "./jobs.ts";
import { command as log } from "./log.ts";
import { command as next } from "./next.ts";
import { command as pause } from "./pause.ts";
import { command as retire } from "./retire.ts";
import { command as run } from "./run.ts";
import { command as runs } from "./runs.ts";
import { command as service } from "./service.ts";
import { command as show } from "./show.ts";
import { command as submit } from "./submit.ts";
import { command as template } from "./template.ts";

const code = (expected: string) => expect.objectContaining({ name: "UserError", code: expected });

function caller(env: NodeJS.ProcessEnv, home = homePaths(env)) {
  return async (make: (context: CliContext) => Command, ...args: string[]) => {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    const context: CliContext = {
      env,
      home,
      stdin: Readable.from([""]),
      stdout,
      stderr,
      colour: false,
      interactive: false,
      signal: new AbortController().signal,
    };
    try {
      await make(context).parseAsync(args, { from: "user" });
    } finally {
      stdout.end();
      stderr.end();
    }
    return { out: await text(stdout), err: await text(stderr) };
  };
}

/** The person's door over a store with the job `watch`, whose v1 is approved. */
async function door() {
  const it = await approvalsFixture();
  await it.addVersion(1, "one\n");
  await it.approve(1);
  const deps = testToolContext(it);
  const app = new Hono().route("/", jobsApi(deps)).route("/", runsApi(deps));
  app.onError((error, c) =>
    error instanceof UserError
      ? c.json({ code: error.code, message: error.message, next: error.next ?? null }, 400)
      : c.json({ code: "bug", message: String(error.stack) }, 500),
  );
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const env = { JOBRUNNER_URL: `http://127.0.0.1:${port}`, JOBRUNNER_TOKEN: "token" };
  return {
    ...it,
    call: caller(env, it.home),
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
      await it[Symbol.asyncDispose]();
    },
  };
}

test("a job is listed and shown with its versions, and what changed between them", async () => {
  await using it = await door();
  await it.addVersion(2, "two\u202e\n");
  const listed = await it.call(jobs);
  expect(listed.out).toMatch(/^watch +active +v1 +v2 /m);
  expect(listed.err).toContain("approve watch");
  expect(JSON.parse((await it.call(jobs, "--json")).out)).toMatchObject([{ name: "watch", active: 1, pending: 2 }]);
  const shown = await it.call(job, "watch");
  expect(shown.out).toContain("at 08:00, every day (0 8 * * *, Asia/Seoul)");
  expect(shown.out).toContain("api.example.org");
  expect((await it.call(job, "watch", "--versions")).out).toMatch(/v2 +pending.*\n.*v1 +active/);
  expect((await it.call(job, "watch", "v2", "--source")).out).toContain("two⟨U+202E⟩");
  const { out } = await it.call(diff, "watch", "v1", "v2");
  expect(out).toContain("-one");
  expect(out).toContain("+two⟨U+202E⟩");
  await expect(it.call(job, "wacht")).rejects.toEqual(code("job_not_found"));
  await expect(it.call(diff, "watch", "1", "x")).rejects.toEqual(code("invalid_argument"));
});

test("a run is started, followed, shown and cancelled", async () => {
  await using it = await door();
  const started = await it.call(run, "watch");
  expect(started.out).toBe("R1 queued\n");
  await expect(it.call(run, "watch", "--input", "{")).rejects.toEqual(code("invalid_argument"));
  const claimed = (await claim(it.db, { worker: "w", limit: 1 })).runs[0];
  if (claimed === undefined) throw new Error("nothing was claimed");
  await addAttempt(it.db, claimed, 1);
  const line = { run_id: 1, attempt: 1, level: "info", at: new Date() } as const;
  await it.db
    .insertInto("run_logs")
    .values([
      { ...line, n: 1, text: "first" },
      { ...line, n: 2, text: "\u001b[2Jsecond" },
    ])
    .execute();
  const followed = it.call(log, "R1", "-f", "--tail", "1");
  await it.db
    .insertInto("run_logs")
    .values({ ...line, n: 3, text: "third" })
    .execute();
  const outcome = { state: "succeeded", output: '{"checked":1}', error: null } as const;
  await settle(it.db, { runId: 1, attempt: 1, lease: 1, outcome, retry: null, now: new Date() });
  const { out, err } = await followed;
  expect(out.trimEnd().split("\n").at(-1)).toContain("third");
  expect(out).not.toContain("\u001b");
  expect(err).toContain("R1 succeeded");
  expect((await it.call(show, "r1")).out).toContain('"checked": 1');
  expect((await it.call(show, "R1", "--effects")).err).toContain("touched nothing");
  expect((await it.call(runs, "--job", "watch", "--state", "succeeded")).out).toMatch(/^R1 +watch +succeeded/m);
  await expect(it.call(runs, "--state", "fine")).rejects.toEqual(code("invalid_argument"));
  await expect(it.call(cancel, "R1")).rejects.toEqual(code("run_not_active"));
  await it.call(run, "watch");
  expect((await it.call(cancel, "R2")).out).toBe("Cancelled: R2 of watch.\n");
});

test("pausing needs no question, retiring does", async () => {
  await using it = await door();
  expect((await it.call(pause, "watch", "--reason", "too loud")).out).toContain("Paused: watch.");
  expect((await it.call(job, "watch")).out).toContain("paused by person: too loud");
  await expect(it.call(run, "watch")).rejects.toEqual(code("job_paused"));
  await expect(it.call(retire, "watch")).rejects.toEqual(code("no_terminal"));
  expect((await it.call(retire, "watch", "--yes")).out).toBe("Retired: watch.\n");
  expect((await it.call(next)).err).toContain("Nothing is scheduled");
});

test("what was submitted and does not pass is told with its place, and nothing is stored", async () => {
  await using it = await door();
  const file = join(it.home.root, "broken.ts");
  writeFileSync(file, "export default 1 +;\n");
  await expect(it.call(submit, file)).rejects.toEqual(code("compile_failed"));
  await expect(it.call(submit, join(it.home.root, "nothing.ts"))).rejects.toEqual(code("invalid_argument"));
});

test("a template becomes a job of one's own, and never takes the place of anything", async () => {
  const root = mkdtempSync(join(tmpdir(), "jr-template-"));
  try {
    const folder = join(root, "jobs");
    const call = caller({ JOBRUNNER_HOME: root, JOBRUNNER_JOBS: folder });
    expect((await call(template)).out).toContain("uptime-check");
    expect((await call(template, "use", "uptime-check", "my-sites")).out).toBe(`${join(folder, "my-sites.ts")}\n`);
    writeFileSync(join(folder, "my-sites.ts"), "mine");
    await expect(call(template, "use", "uptime-check", "my-sites")).rejects.toEqual(code("invalid_argument"));
    expect(readFileSync(join(folder, "my-sites.ts"), "utf8")).toBe("mine");
    mkdirSync(join(folder, "whole"));
    writeFileSync(join(folder, "whole", "index.ts"), "mine");
    await expect(call(template, "use", "uptime-check", "whole")).rejects.toEqual(code("invalid_argument"));
    symlinkSync(join(root, "elsewhere.ts"), join(folder, "linked.ts"));
    await expect(call(template, "use", "uptime-check", "linked")).rejects.toEqual(code("invalid_argument"));
    await expect(call(template, "use", "uptime-check", "../x")).rejects.toEqual(code("invalid_name"));
    await expect(call(template, "use", "nothing")).rejects.toEqual(code("template_not_found"));
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("without systemctl a service says so and writes nothing", async () => {
  const root = mkdtempSync(join(tmpdir(), "jr-service-"));
  try {
    const call = caller({ JOBRUNNER_HOME: root, HOME: root, PATH: "/nothing" });
    await expect(call(service, "install")).rejects.toEqual(code("unsupported"));
    expect((await call(service)).out).toContain("not installed");
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("hosts are connected with the launcher's whole path", async () => {
  const call = caller({ JOBRUNNER_HOME: "/srv/my home", PATH: "/nothing" });
  expect((await call(connect, "claude")).out).toBe("claude mcp add jobrunner -- '/srv/my home/bin/jr' mcp\n");
  expect((await call(connect, "gemini")).out).toBe("gemini mcp add jobrunner '/srv/my home/bin/jr' mcp\n");
  expect(JSON.parse((await call(connect, "json")).out)).toEqual({
    mcpServers: { jobrunner: { command: "/srv/my home/bin/jr", args: ["mcp"] } },
  });
  await expect(call(connect, "claude", "--run")).rejects.toEqual(code("unsupported"));
});
