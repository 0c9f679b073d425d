import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { resuming } from "../../tests/support/resuming.ts";
import { testManifest, testPermissions } from "../../tests/support/runs.ts";
import { jobSource, testPool } from "../../tests/support/sandbox-run.ts";
import { testStore } from "../../tests/support/store.ts";
import { UserError } from "../errors.ts";
import type { Manifest } from "../jobs/manifest.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Store } from "../store/open-store.ts";

let pool: Pool;
let store: Store;
let silent: Server;
let silentPort = 0;
let closedPort = 0;
const folder = mkdtempSync(join(tmpdir(), "jobrunner-classes-"));

beforeAll(async () => {
  pool = await testPool();
  store = await testStore();
  // Takes connections and never answers.
  silent = createServer(() => {});
  silentPort = await listen(silent);
  const closed = createServer();
  closedPort = await listen(closed);
  closed.close();
});
afterAll(async () => {
  silent.closeAllConnections();
  silent.close();
  await pool[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const here = (port: number): Manifest["permissions"]["net"][number] => ({ host: "127.0.0.1", port, private: true });
const permissions = () =>
  testPermissions({
    net: [here(closedPort), here(silentPort)],
    secrets: { TOKEN: ["127.0.0.1"] },
    files: { read: [folder], write: [] },
    llm: ["small:1b"],
    notify: ["me"],
  });
const limits = testManifest().limits;

type Case = Readonly<{ body: string; ended: string; more?: Partial<Manifest> }>;
const one = (body: string, ended: string, more: Partial<Manifest> = {}): Case => ({ body, ended, more });

const cases: Case[] = [
  one('throw new Error("no");', "failed threw transient"),
  one('throw "no";', "failed threw transient"),
  one("null.property;", "failed threw transient"),
  one('JSON.parse("<html>");', "failed threw transient"),
  one("undefinedName();", "failed threw permanent"),
  one('throw new PermanentError("gone");', "failed threw permanent"),
  one(
    'class Gone extends PermanentError { name = "TypeError"; } throw new Gone("fetch failed");',
    "failed threw permanent",
  ),
  one('await Promise.all([kv.get("a"), Promise.reject(new PermanentError("gone"))]);', "failed threw permanent"),
  one('throw new Error("no", { cause: new PermanentError("gone") });', "failed threw transient"),
  one('throw Object.assign(new Error("no"), { name: "PermanentError", permanent: true });', "failed threw transient"),
  one("await fetch(closed);", "failed fetch_failed transient"),
  one('await fetch("https://elsewhere.example/");', "failed permission_denied policy"),
  one("await fetch(slow, { signal: AbortSignal.timeout(50) });", "failed call_timeout transient"),
  one('await fetch("no url");', "failed threw transient"),
  one('await secrets.get("TOKEN");', "failed call_refused permanent secret_not_found"),
  one('await secrets.get("OTHER");', "failed permission_denied policy permission_denied"),
  one("await files.readText(`${folder}/nothing`);", "failed call_failed transient file_not_found"),
  one('await files.readText("/etc/hostname");', "failed permission_denied policy permission_denied"),
  one('await llm.generate({ model: "small:1b", prompt: "hi" });', "failed call_refused permanent model_missing"),
  one('await notify("hi", { target: "me" });', "failed call_failed transient notify_failed"),
  one('await kv.set("", 1);', "failed call_refused permanent invalid_argument"),
  // A job that catches a refusal and says what it makes of it has the last word.
  one(
    'try { await secrets.get("TOKEN"); } catch (e) { throw new Error("later", { cause: e }); }',
    "failed threw transient",
  ),
  one("await new Promise(() => {});", "failed never_settles permanent"),
  one("for (let i = 0; i < 20; i++) await kv.get(String(i));", "failed limit permanent", {
    limits: { ...limits, effects: 5 },
  }),
  one("for (;;);", "timed_out cpu timeout", { limits: { ...limits, timeoutMs: 60_000, cpuMs: 300 } }),
  one("await fetch(slow);", "timed_out timeout timeout", { limits: { ...limits, timeoutMs: 700 } }),
  one("const all = []; for (;;) all.push(new Array(100_000).fill(all.length));", "out_of_memory memory memory"),
];

test.each(cases)("$ended: $body", async ({ body, ended, more }) => {
  const [state = "", reason, kind, code] = ended.split(" ");
  const context = `const slow = "http://127.0.0.1:${silentPort}/"; const closed = "http://127.0.0.1:${closedPort}/"; const folder = ${JSON.stringify(folder)};`;
  const source = jobSource(`${context} ${body}`).replace("defineJob, z", "defineJob, PermanentError, z");
  expect(await endOf(source, { permissions: permissions(), ...more })).toMatchObject({
    state,
    error: { reason, class: kind, ...(code === undefined ? {} : { code }) },
  });
});

test("an input that does not fit is the caller's mistake, whoever finds it", async () => {
  const refined = "input: z.object({ n: z.number().refine((n) => n > 1) }),";
  const schema = {
    type: "object",
    properties: { n: { type: "number" } },
    required: ["n"],
    additionalProperties: false,
  };
  const wrong = { state: "failed", error: { reason: "input", class: "permanent" } };
  const source = jobSource("return input.n;", refined);
  expect(await endOf(source, { input: schema }, { n: "one" }), "by the schema").toMatchObject(wrong);
  expect(await endOf(source, { input: schema }, { n: 1 }), "by the job's own check").toMatchObject(wrong);
  expect(await endOf(source, { input: schema }, { n: 2 })).toMatchObject({ state: "succeeded" });
});

async function endOf(source: string, more: Partial<Manifest>, input?: unknown) {
  for (const table of ["runs", "versions", "jobs"] as const) await store.db.deleteFrom(table).execute();
  const services = {
    llm: async () => {
      throw new UserError("model_missing", "no such model");
    },
    notify: async () => {
      throw new UserError("notify_failed", "no route");
    },
  };
  const job = await resuming(store, pool, source, { ...more, services });
  await job.order(input);
  return (await job.work()).settlement;
}
