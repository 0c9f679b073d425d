import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { testStore } from "../../tests/support/store.ts";
import { tasksApi } from "../daemon/api/tasks.ts";
import { errorAnswer } from "../daemon/http-errors.ts";
import { homePaths } from "../home.ts";
import { silentLog } from "../log.ts";
import { claimTask } from "../tasks/claim-task.ts";
import { command } from "./task.ts";

/** `jr task` against the person's door over a store. */
async function door() {
  const store = await testStore();
  const app = new Hono().route("/", tasksApi({ store }));
  app.onError((error) => errorAnswer(error, silentLog));
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const root = mkdtempSync(join(tmpdir(), "jr-task-"));
  const env = { JOBRUNNER_HOME: root, JOBRUNNER_URL: `http://127.0.0.1:${address.port}`, JOBRUNNER_TOKEN: "none" };
  return {
    db: store.db,
    root,
    async jr(args: readonly string[], input = "") {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const streams = { stdin: Readable.from([input]), stdout, stderr };
      const home = homePaths(env);
      const signal = new AbortController().signal;
      try {
        await command({ env, home, ...streams, colour: false, interactive: false, signal }).parseAsync([...args], {
          from: "user",
        });
      } finally {
        stdout.end();
        stderr.end();
      }
      return { out: await text(stdout), err: await text(stderr) };
    },
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
      await store[Symbol.asyncDispose]();
      rmSync(root, { recursive: true });
    },
  };
}

test("a person adds, changes, ends, exports and imports tasks", async () => {
  await using it = await door();
  const out = async (...args: string[]) => (await it.jr(args)).out;
  expect((await it.jr(["list"])).err).toBe("No tasks.\n");
  expect(await out("add", "Find a name", "--me", "--urgency", "high")).toBe("Added: T1 Find a name: open\n");
  const options = [
    "--needs",
    "T1",
    "--label",
    "news",
    "--label",
    "web",
    "--due",
    "2026-12-24",
    "--body",
    "All of\nthem",
  ];
  expect(await out("add", "Tell everybody", ...options)).toBe("Added: T2 Tell everybody: open\n");
  expect(await out()).toBe(
    [
      "TASK  STATE    TITLE",
      "T1    open     Find a name     high, for you",
      "T2    waiting  Tell everybody  due 2026-12-24, needs 1 more, #news, #web\n",
    ].join("\n"),
  );
  expect(await out("list", "--ready", "--search", "NAME")).toMatch(/^T1 /m);
  const done = await it.jr(["done", "T1", "three", "words"]);
  expect([done.out, done.err]).toEqual(["T1 Find a name: done\n", "ready now: T2\n"]);
  await claimTask(it.db, { id: 2, by: { actor: "some host\u202e 1.0", traceId: "t" } });
  await expect(it.jr(["claim", "T2"])).rejects.toMatchObject({ code: "task_claimed" });
  const shown = await out("show", "t2");
  expect(shown).toMatch(
    /T2 Tell everybody {2}in_progress\n {2}due 2026-12-24, #news, #web\n[\s\S]*held +by some host⟨U\+202E⟩ 1\.0 until/,
  );
  expect(shown).toMatch(/needs +T1 Find a name \(done\)[\s\S]*Body\n {2}All of\n {2}them[\s\S]*claimed by some host/);
  expect(await out("release", "T2")).toBe("T2 Tell everybody: open\n");
  expect(await out("edit", "T2", "--body", "", "--label", "", "--not-needs", "T1", "--priority", "-7")).toBe(
    "T2 Tell everybody: open\n",
  );
  expect(JSON.parse(await out("show", "T2", "--json"))).toMatchObject({
    task: { body: null, labels: "[]", priority: -7 },
    needs: [],
  });
  expect(await out("claim", "T2", "--minutes", "5")).toMatch(/^T2 Tell everybody: in_progress until .*Z \(claim 2\)$/m);
  expect(await out("fail", "T2", "no reply")).toBe("T2 Tell everybody: failed\n");
  expect(await out("reopen", "T2")).toBe("T2 Tell everybody: open\n");
  expect(await out("note", "T2", "later")).toContain("T2");
  expect(await out("cancel", "T2")).toBe("T2 Tell everybody: cancelled\n");
  await expect(it.jr(["edit", "T2", "--needs", "T2"])).rejects.toMatchObject({ code: "task_cycle" });
  await expect(it.jr(["done", "T9"])).rejects.toMatchObject({ code: "task_not_found" });
  await expect(it.jr(["list", "--state", "odd"])).rejects.toMatchObject({ code: "invalid_argument" });

  expect((await it.jr(["export"])).err).toBe("No tasks.\n");
  const listed = await out("export", "--state", "all");
  expect(listed).toMatch(
    /^- \[x\] Find a name \{#T1 urgency=high person\}\n {2}\*\*Result:\*\*\n {2}> three words\n- \[-\] Tell/,
  );
  const file = join(it.root, "tasks.md");
  writeFileSync(file, listed);
  expect(await out("import", file, "--dry-run")).toBe("In order: 2 tasks; nothing was added.\n");
  expect(await out("import", file)).toBe("Added: 2 tasks, T3 to T4.\n");
  const again = await it.jr(["import", file]);
  expect([again.out, again.err]).toEqual([
    "Nothing new.\n",
    "2 tasks of it were there already; --again adds them once more\n",
  ]);
  const json = await out("export", "--state", "cancelled", "--json");
  expect((await it.jr(["import", "-", "--json", "--again"], json)).out).toBe("Added: 2 tasks, T5 to T6.\n");
  await expect(it.jr(["import", join(it.root, "none.md")])).rejects.toMatchObject({ code: "invalid_argument" });
});
