import { expect, test } from "vitest";
import { addJob, testManifest } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { UserError } from "../errors.ts";
import { homePaths } from "../home.ts";
import type { Manifest } from "../jobs/manifest.ts";
import { silentLog } from "../log.ts";
import { readRunEvent } from "../runs/triggers/run-event.ts";
import { findWebhook, makeWebhook, removeWebhook } from "../runs/triggers/webhooks.ts";
import type { Store } from "../store/open-store.ts";
import { hooksApp } from "./hooks.ts";

const home = homePaths({ JOBRUNNER_HOME: "/nowhere" });
const hooked = (more: Partial<Manifest> = {}) =>
  testManifest({ triggers: { after: [], files: [], webhook: true }, priority: 3, ...more });

/** A door with jobs "hook" (approved, with a webhook) and "plain" (without), and "new", which nobody has approved. */
async function door(store: Store, manifest = hooked()) {
  for (const job of ["hook", "plain", "new"]) await addJob(store.db, job);
  const approvals = {
    async requireManifest(job: string) {
      if (job === "new") throw new UserError("not_approved", "no");
      return job === "plain" ? testManifest() : manifest;
    },
  };
  const app = hooksApp({ store, approvals, log: silentLog }, ["jobs.example.org"]);
  const make = (job: string, rotate = false) => makeWebhook(store.db, { job, rotate, actor: "person", home });
  const post = (path: string, body: string | Uint8Array = "{}", headers: Record<string, string> = {}) =>
    app.request(path, { method: "POST", body: typeof body === "string" ? body : Buffer.from(body), headers });
  return { app, make, post };
}

test("a post to the secret address starts one run, which gets what was sent; the same delivery starts no second", async () => {
  await using store = await testStore();
  const { db } = store;
  const { make, post } = await door(store);
  const token = await make("hook");
  const headers = {
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot",
    "x-github-delivery": "d-1",
    "x-github-event": "push",
    "x-hub-signature-256": "sha256=00",
    "x-gitlab-token": "hidden",
    authorization: "Bearer hidden",
    cookie: "a=hidden",
    "x-forwarded-for": "10.0.0.1",
    accept: "*/*",
  };
  const body = '{"ref":"main","text":"\u0000 and \u{1f600}"}';
  const first = await post(`/hooks/hook/${token}`, body, headers);
  expect([first.status, await first.json()]).toEqual([202, { run: "R1", created: true }]);
  const again = await post(`/hooks/hook/${token}`, body, headers);
  expect([again.status, await again.json()]).toEqual([202, { run: "R1", created: false }]);
  const runs = await db.selectFrom("runs").selectAll().execute();
  expect(runs.map(({ trigger, priority, input, requested_by }) => [trigger, priority, input, requested_by])).toEqual([
    ["webhook", 3, null, "webhook"],
  ]);
  expect(runs[0] && (await readRunEvent(db, runs[0]))).toEqual({
    kind: "webhook",
    headers: {
      "user-agent": "GitHub-Hookshot",
      "x-github-delivery": "d-1",
      "x-github-event": "push",
      "x-hub-signature-256": "sha256=00",
    },
    contentType: "application/json",
    body,
    encoding: "utf8",
  });
  expect(JSON.stringify(await db.selectFrom("webhooks").selectAll().execute())).not.toContain(token);
  expect((await findWebhook(db, "hook"))?.used_at).not.toBeNull();
});

test("whatever is wrong has one answer, and starts nothing", async () => {
  await using store = await testStore();
  const { db } = store;
  const { app, make, post } = await door(store);
  const old = await make("hook");
  const token = await make("hook", true);
  const plain = await make("plain");
  const fresh = await make("new");
  const wrong: [string, Promise<Response> | Response][] = [
    ["a wrong token", post("/hooks/hook/wrong")],
    ["an old token", post(`/hooks/hook/${old}`)],
    ["another job's token", post(`/hooks/hook/${plain}`)],
    ["a job without a webhook", post(`/hooks/plain/${plain}`)],
    ["a job that nobody approved", post(`/hooks/new/${fresh}`)],
    ["no such job", post(`/hooks/nope/${token}`)],
    ["no token", post("/hooks/hook/")],
    ["a longer path", post(`/hooks/hook/${token}/more`)],
    ["a GET", app.request(`/hooks/hook/${token}`)],
    ["a web page", post(`/hooks/hook/${token}`, "{}", { origin: "https://evil.example.net" })],
    ["too much, with a wrong token", post("/hooks/hook/wrong", "x".repeat(300_000))],
  ];
  for (const [what, asked] of wrong) {
    const response = await asked;
    expect([what, response.status, await response.text()]).toEqual([what, 404, '{"message":"There is nothing here."}']);
  }
  expect(await db.selectFrom("runs").selectAll().execute()).toEqual([]);
  // The address itself works, by whatever name a proxy gives this machine, and for a page of its own.
  expect((await post(`/hooks/hook/${token}`, "{}", { host: "tunnel.example.net" })).status).toBe(202);
  expect((await post(`/hooks/hook/${token}`, "{}", { origin: "http://jobs.example.org" })).status).toBe(202);
  expect(await removeWebhook(db, { job: "hook", actor: "person" })).toBe(true);
  expect((await post(`/hooks/hook/${token}`)).status).toBe(404);
  const events = await db.selectFrom("events").select("kind").where("subject", "=", "hook").orderBy("id").execute();
  expect(events.map(({ kind }) => kind)).toEqual(["webhook.made", "webhook.rotated", "webhook.removed"]);
});

test("bodies are bounded, and bytes that are no text come as base64", async () => {
  await using store = await testStore();
  const { make, post } = await door(store);
  const address = `/hooks/hook/${await make("hook")}`;
  expect((await post(address, "x".repeat(256 * 1024 + 1))).status).toBe(413);
  expect((await post(address, "x".repeat(256 * 1024))).status).toBe(202);
  expect((await post(address, Uint8Array.of(0xff, 0xfe, 0))).status).toBe(202);
  const runs = await store.db.selectFrom("runs").selectAll().orderBy("id").execute();
  const [text, bytes] = await Promise.all(runs.map((run) => readRunEvent(store.db, run)));
  expect(text).toMatchObject({ encoding: "utf8", contentType: "text/plain;charset=UTF-8" });
  expect(bytes).toMatchObject({ encoding: "base64", body: "//4A", contentType: null });
});

test("a job takes no more than its runs of an hour, and nothing while it is paused", async () => {
  await using store = await testStore();
  const { db } = store;
  const limits = { ...testManifest().limits, runsPerHour: 2 };
  const { make, post } = await door(store, hooked({ limits }));
  const address = `/hooks/hook/${await make("hook")}`;
  const answers: number[] = [];
  for (const id of ["1", "2", "3", "2"]) answers.push((await post(address, "{}", { "idempotency-key": id })).status);
  expect(answers).toEqual([202, 202, 429, 202]);
  expect(await db.selectFrom("runs").select("id").execute()).toHaveLength(2);
  await db.updateTable("jobs").set({ state: "paused" }).where("name", "=", "hook").execute();
  const paused = await post(address, "{}", { "idempotency-key": "4" });
  expect([paused.status, paused.headers.get("retry-after")]).toEqual([503, "300"]);
  await db.updateTable("jobs").set({ state: "retired" }).where("name", "=", "hook").execute();
  expect((await post(address, "{}", { "idempotency-key": "5" })).status).toBe(404);
});

test("an address is shown once: it is not made twice by accident", async () => {
  await using store = await testStore();
  const { make } = await door(store);
  await make("hook");
  await expect(make("hook")).rejects.toMatchObject({
    code: "invalid_argument",
    next: expect.stringContaining("--rotate"),
  });
});
