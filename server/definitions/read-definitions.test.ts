import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { canonicalJson } from "../canonical-json.ts";
import { homePaths } from "../home.ts";
import { silentLog } from "../log.ts";
import { createApprovals } from "../review/approvals.ts";
import { addTrustedKey } from "../review/trusted-keys.ts";
import { enforceRetention } from "../runs/retention.ts";
import { sha256 } from "../sha256.ts";
import { putBlob } from "../store/blobs.ts";
import { definitionsFixture, testRole } from "./definitions-fixture.ts";
import { listDefinitions, requireDefinition } from "./read-definitions.ts";
import { markGone } from "./store-definitions.ts";

let it: Awaited<ReturnType<typeof definitionsFixture>>;
beforeEach(async () => {
  it = await definitionsFixture();
});
afterEach(() => it[Symbol.asyncDispose]());

const reader = () => requireDefinition(it.deps, "role", "reader");
const refused = (code: string) => expect.objectContaining({ code });

test("a role is used once it is signed, and not before", async () => {
  await expect(reader()).rejects.toEqual(refused("definition_not_found"));
  await it.storeDefinition("role", "reader", testRole());
  await expect(reader()).rejects.toMatchObject({
    code: "not_approved",
    next: expect.stringMatching(/jr approve role:reader$/),
  });
  await it.sign("role", "reader");
  expect(await reader()).toMatchObject({
    kind: "role",
    name: "reader",
    version: 1,
    manifest: { instructions: "Read it." },
    files: new Map([["reader.md", "Read it."]]),
  });
});

test("a changed role waits while the signed one is used; going back to it needs no signature", async () => {
  await it.storeDefinition("role", "reader", testRole());
  await it.sign("role", "reader");
  await it.storeDefinition("role", "reader", testRole({ tools: ["web_fetch"] }), "Fetch it.");
  expect((await reader()).version).toBe(1);
  expect(await listDefinitions(it.deps, "role")).toEqual([
    expect.objectContaining({ name: "reader", active: 1, pending: 2, path: "reader.md" }),
  ]);
  expect(await it.storeDefinition("role", "reader", testRole())).toEqual([]);
  expect(await listDefinitions(it.deps, "role")).toEqual([expect.objectContaining({ active: 1, pending: null })]);
  await it.storeDefinition("role", "reader", testRole({ tools: ["web_fetch"] }), "Fetch it.");
  await it.sign("role", "reader");
  expect(await reader()).toMatchObject({ version: 2, manifest: { tools: ["web_fetch"] } });
});

test("a revoked role is refused, and the version before it does not come back", async () => {
  await it.storeDefinition("role", "reader", testRole());
  await it.sign("role", "reader");
  await it.storeDefinition("role", "reader", testRole({ temperature: 1 }), "Again.");
  await it.sign("role", "reader");
  await it.revoke("role", "reader");
  await expect(reader()).rejects.toEqual(refused("not_approved"));
});

test("a role whose file was deleted is not used until it is back", async () => {
  await it.storeDefinition("role", "reader", testRole());
  await it.sign("role", "reader");
  await markGone(it.deps.store, { kind: "role", name: "reader", path: "reader.md" }, new Date());
  await expect(reader()).rejects.toEqual(refused("definition_gone"));
  await it.storeDefinition("role", "reader", testRole());
  expect((await reader()).version).toBe(1);
});

const wide = canonicalJson(testRole({ tools: ["job_submit"] }));

test.each<[string, () => Promise<unknown>]>([
  [
    "another manifest",
    () =>
      it.db
        .updateTable("definitions")
        .set({ manifest: wide, manifest_hash: sha256(wide) })
        .execute(),
  ],
  ["a manifest beside its hash", () => it.db.updateTable("definitions").set({ manifest: wide }).execute()],
  [
    "another text",
    async () => {
      const hash = await putBlob(it.db, "Approve everything.");
      const { snapshot } = await it.db.selectFrom("definitions").select("snapshot").executeTakeFirstOrThrow();
      const changed = snapshot.replace(/sha256:[0-9a-f]{64}/, hash);
      await it.db
        .updateTable("definitions")
        .set({ snapshot: changed, source_hash: sha256(changed) })
        .execute();
    },
  ],
  [
    "another content of its text",
    () =>
      it.db
        .updateTable("blobs")
        .set({ bytes: Buffer.from("Approve it.") })
        .execute(),
  ],
  [
    "no text",
    () =>
      it.db
        .deleteFrom("definitions")
        .execute()
        .then(() => it.db.deleteFrom("blobs").execute()),
  ],
])("a signed role into which somebody wrote %s is refused and reported", async (_what, tamper) => {
  await it.storeDefinition("role", "reader", testRole());
  await it.sign("role", "reader");
  await tamper();
  await expect(reader()).rejects.toEqual(refused("approval_invalid"));
  const alerts = await it.db.selectFrom("alerts").select("key").execute();
  expect(alerts).toEqual([{ key: "approvals:role:reader" }]);
  const events = await it.db.selectFrom("events").select("kind").where("subject", "=", "role:reader").execute();
  expect(events).toContainEqual({ kind: "approval.refused" });
});

test("an approval that is written into the store again does not bring a revoked role back", async () => {
  await it.storeDefinition("role", "reader", testRole());
  const { hash } = await it.sign("role", "reader");
  const old = await it.db.selectFrom("decisions").selectAll().where("hash", "=", hash).executeTakeFirstOrThrow();
  await it.revoke("role", "reader");
  const { seq: _seq, created_at: _at, ...copy } = old;
  await it.db
    .insertInto("decisions")
    .values({ ...copy, hash: sha256("another"), previous: await it.headNow() })
    .execute();
  await expect(reader()).rejects.toEqual(refused("approval_invalid"));
});

test("a signature of one role is none of another, nor of a skill with the same text", async () => {
  await it.storeDefinition("role", "reader", testRole());
  await it.storeDefinition("role", "writer", testRole());
  await it.sign("role", "reader");
  await it.db.updateTable("decisions").set({ name: "writer" }).execute();
  await expect(requireDefinition(it.deps, "role", "writer")).rejects.toMatchObject({
    code: expect.stringMatching(/approval_invalid|chain_broken/),
  });
});

test("retention keeps the texts of every version", async () => {
  await it.storeDefinition("role", "reader", testRole());
  await it.sign("role", "reader");
  await it.db
    .updateTable("blobs")
    .set({ created_at: new Date(0) })
    .execute();
  const swept = await enforceRetention(it.db, { days: 1, runsPerJob: 1, now: new Date() });
  expect(swept.blobs).toBe(0);
  expect((await reader()).version).toBe(1);
});

test("another machine uses what a key that it trusts has signed, and nothing else", async () => {
  await it.storeDefinition("role", "reader", testRole());
  await it.sign("role", "reader");
  const folder = mkdtempSync(join(tmpdir(), "jr-second-"));
  const home = homePaths({ JOBRUNNER_HOME: folder });
  const { store } = it.deps;
  {
    await using second = await createApprovals({ store, home, log: silentLog, verifiesOnly: true });
    const deps = { store, approvals: second };
    await expect(requireDefinition(deps, "role", "reader")).rejects.toEqual(refused("approval_invalid"));
    addTrustedKey(home, it.key.publicKey, new Date());
    expect((await requireDefinition(deps, "role", "reader")).version).toBe(1);
    await it.revoke("role", "reader");
    await expect(requireDefinition(deps, "role", "reader")).rejects.toEqual(refused("not_approved"));
  }
  rmSync(folder, { recursive: true });
});

test("who follows decisions hears of a revoked role at once, and who follows jobs does not", async () => {
  await it.storeDefinition("role", "reader", testRole());
  await it.sign("role", "reader");
  const heard: unknown[] = [];
  it.approvals.onDecision((subject) => heard.push(subject));
  it.approvals.onChange((job) => heard.push(job));
  await it.revoke("role", "reader");
  expect(heard).toEqual([{ kind: "role", name: "reader" }]);
});
