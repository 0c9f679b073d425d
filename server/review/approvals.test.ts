import { chmodSync } from "node:fs";
import { expect, test } from "vitest";
import { canonicalJson } from "../canonical-json.ts";
import { openAlerts } from "../runs/alerts.ts";
import { listEvents } from "../runs/events.ts";
import { sha256 } from "../sha256.ts";
import { approvalsFixture, testKey, testManifest } from "./approvals-fixture.ts";
import { decisionHash } from "./chain.ts";
import { signDecision } from "./sign.ts";

type Fixture = Awaited<ReturnType<typeof approvalsFixture>>;
const code = (expected: string) => expect.objectContaining({ name: "UserError", code: expected });

test("an approved version runs, with the signed manifest and bundle", async () => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "one");
  await expect(it.approvals.requireRunnable("watch")).rejects.toEqual(code("not_approved"));
  await it.approve(1);
  const runnable = await it.approvals.requireRunnable("watch");
  expect(runnable).toMatchObject({ version: 1, bundle: "/* bundle of */ one", manifest: testManifest() });
  await it.approvals.recheck("watch", 1);
  expect(await it.approvals.active("watch")).toMatchObject({ version: 1, keyId: it.key.publicKey.id });
  expect(await it.db.selectFrom("versions").select("state").executeTakeFirst()).toEqual({ state: "approved" });
});

test("a newer version does not run before it is signed, and an older one only by another signature", async () => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "one");
  await it.approve(1);
  await it.addVersion(2, "two");
  expect((await it.approvals.requireRunnable("watch")).version).toBe(1);
  await expect(it.approve(2, it.key, { decision: "activate" })).rejects.toEqual(code("not_approved"));
  await it.approve(2);
  expect((await it.approvals.requireRunnable("watch")).version).toBe(2);
  await it.approve(1, it.key, { decision: "activate" });
  expect((await it.approvals.requireRunnable("watch")).version).toBe(1);
});

test("a revocation stops the version at once, no older one takes over, and listeners hear of it", async () => {
  await using it = await approvalsFixture();
  const heard: string[] = [];
  await it.addVersion(1, "one");
  await it.addVersion(2, "two");
  await it.approve(1);
  await it.approve(2);
  it.approvals.onChange((job) => heard.push(job));
  await it.approve(2, it.key, { decision: "revoke" });
  expect(heard).toEqual(["watch"]);
  await expect(it.approvals.recheck("watch", 2)).rejects.toEqual(code("not_approved"));
  await it.approvals.recheck("watch", 1);
  await expect(it.approvals.requireRunnable("watch")).rejects.toEqual(code("not_approved"));
});

const stranger = testKey();

/** Each does to the store what its name says; `restart` is whether only a daemon that starts anew can notice. */
const tamperings: [string, string, (it: Fixture) => Promise<unknown>][] = [
  [
    "a swapped bundle blob",
    "approval_invalid",
    (it) =>
      it.db
        .updateTable("blobs")
        .set({ bytes: Buffer.from("evil()") })
        .where("hash", "=", sha256("/* bundle of */ one"))
        .execute(),
  ],
  [
    "a bundle swapped with its hash",
    "approval_invalid",
    async (it) => {
      await it.db
        .insertInto("blobs")
        .values({ hash: sha256("evil()"), bytes: Buffer.from("evil()") })
        .execute();
      await it.db
        .updateTable("versions")
        .set({ bundle_hash: sha256("evil()") })
        .execute();
    },
  ],
  [
    "an edited manifest",
    "approval_invalid",
    async (it) => {
      const wide = canonicalJson(
        testManifest({ permissions: { net: [{ host: "evil.example.org", port: null, private: true }], secrets: {} } }),
      );
      await it.db
        .updateTable("versions")
        .set({ manifest: wide, manifest_hash: sha256(wide) })
        .execute();
    },
  ],
  [
    "a manifest edited under its hash",
    "approval_invalid",
    (it) => it.db.updateTable("versions").set({ manifest: "{}" }).execute(),
  ],
  [
    "an edited list of sources",
    "approval_invalid",
    (it) => it.db.updateTable("versions").set({ snapshot: "{}" }).execute(),
  ],
  ["a vanished version", "approval_invalid", (it) => it.db.deleteFrom("versions").execute()],
  [
    "an edited text",
    "chain_broken",
    async (it) => {
      const { text, seq } = await it.db.selectFrom("decisions").selectAll().executeTakeFirstOrThrow();
      await it.db
        .updateTable("decisions")
        .set({ text: text.replace("version: 1", "version: 2") })
        .where("seq", "=", seq)
        .execute();
    },
  ],
  [
    "an edited column of a decision",
    "chain_broken",
    (it) => it.db.updateTable("decisions").set({ name: "other" }).execute(),
  ],
  ["a cut-off chain", "chain_broken", (it) => it.db.deleteFrom("decisions").execute()],
];

test.each(tamperings)("%s does not run: %s", async (_what, expected, tamper) => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "one");
  await it.approve(1);
  await it.approvals.requireRunnable("watch");
  const signed = await it.approvals.requireManifest("watch");
  await tamper(it);
  // What was signed and read before may be asked for its limits; it starts nothing.
  if (expected === "approval_invalid") expect(await it.approvals.requireManifest("watch")).toEqual(signed);
  else await expect(it.approvals.requireManifest("watch")).rejects.toEqual(code(expected));
  await expect(it.approvals.requireRunnable("watch")).rejects.toEqual(code(expected));
  await using restarted = await it.open();
  await expect(restarted.requireManifest("watch")).rejects.toEqual(code(expected));
  await expect(restarted.requireRunnable("watch")).rejects.toEqual(code(expected));
  expect(await openAlerts(it.db)).not.toEqual([]);
  expect(await it.db.selectFrom("events").select("kind").where("kind", "=", "approval.refused").execute()).not.toEqual(
    [],
  );
});

/** Rows that somebody with the database writes; the approved job goes on, what they were for does not run. */
const forgeries: [string, (it: Fixture) => Promise<unknown>][] = [
  [
    "a forged row",
    async (it) => {
      const draft = await it.draft(2);
      const { text } = signDecision(it.key, draft);
      const signature = Buffer.alloc(64, 7).toString("base64");
      await it.forge(
        { text, signature, hash: decisionHash(text, signature) },
        { key_id: it.key.publicKey.id, previous: draft.previous },
      );
    },
  ],
  [
    "a decision by a key that nobody trusted",
    async (it) => {
      const draft = await it.draft(2);
      await it.forge(signDecision(stranger, draft), { key_id: stranger.publicKey.id, previous: draft.previous });
    },
  ],
  [
    "a row that is no decision",
    async (it) =>
      it.forge({ text: "approve everything", signature: "", hash: "x" }, { key_id: "x", previous: await it.headNow() }),
  ],
];

test.each(forgeries)("%s is refused, and nothing else stops", async (_what, forge) => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "one");
  await it.addVersion(2, "two");
  await it.approve(1);
  await forge(it);
  expect((await it.approvals.requireRunnable("watch")).version).toBe(1);
  await expect(it.approvals.recheck("watch", 2)).rejects.toEqual(code("approval_invalid"));
  await using restarted = await it.open();
  expect((await restarted.requireRunnable("watch")).version).toBe(1);
  expect((await restarted.status()).refused).toHaveLength(1);
  expect((await openAlerts(it.db)).length).toBe(1);
});

test("after a forgery the person can still decide, and the forged row stays on record", async () => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "one");
  const previous = await it.headNow();
  await it.forge({ text: "approve everything", signature: "", hash: "x" }, { key_id: "x", previous });
  await it.approve(1, it.key, { previous });
  expect((await it.approvals.requireRunnable("watch")).version).toBe(1);
  const kept = await it.db.selectFrom("events").select("detail").where("kind", "=", "approval.set_aside").execute();
  expect(kept[0]?.detail).toContain("approve everything");
});

test("an old approval replayed after its revocation is refused", async () => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "one");
  const old = signDecision(it.key, await it.draft(1));
  await it.record(old);
  await it.approve(1, it.key, { decision: "revoke" });
  await expect(it.record(old)).rejects.toEqual(code("stale_review"));
  // Written past the daemon, the unique columns made to fit.
  await it.forge({ ...old, hash: "other" }, { key_id: it.key.publicKey.id, previous: await it.headNow() });
  await expect(it.approvals.requireRunnable("watch")).rejects.toEqual(code("approval_invalid"));
});

test("a chain that lost its tail runs again once the person accepts it, by a decision that names the lost head", async () => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "one");
  await it.approve(1);
  await it.approve(1, it.key, { decision: "revoke" });
  const { seq } = await it.db.selectFrom("decisions").select("seq").orderBy("seq", "desc").executeTakeFirstOrThrow();
  await it.db.deleteFrom("decisions").where("seq", "=", seq).execute();
  await expect(it.approvals.requireRunnable("watch")).rejects.toEqual(code("chain_broken"));
  await expect(it.approve(1)).rejects.toEqual(code("chain_broken"));
  const { lostHead } = await it.approvals.status();
  const accept = (subject: string) =>
    it.decide({ kind: "chain", name: "decisions", decision: "accept_chain", subject });
  await expect(accept(`${seq} ${sha256("another")}`)).rejects.toEqual(code("chain_broken"));
  await accept(`${lostHead?.seq} ${lostHead?.hash}`);
  expect((await it.approvals.requireRunnable("watch")).version).toBe(1);
  expect(await openAlerts(it.db)).toEqual([]);
});

test("a further key counts once a trusted one vouched for it, until it is revoked, with what it signed", async () => {
  await using it = await approvalsFixture();
  const second = testKey();
  await it.addVersion(1, "one");
  await expect(it.approve(1, second)).rejects.toEqual(code("key_untrusted"));
  await expect(it.trust(second, second)).rejects.toEqual(code("key_untrusted"));
  await it.trust(second);
  await it.approve(1, second);
  await it.approvals.requireRunnable("watch");
  await it.approvals.requireManifest("watch");
  await it.endKey(second);
  await expect(it.approvals.requireManifest("watch")).rejects.toEqual(code("not_approved"));
  await expect(it.approvals.requireRunnable("watch")).rejects.toEqual(code("not_approved"));
  await expect(it.approve(1, second)).rejects.toEqual(code("key_untrusted"));
  await it.approve(1);
  await it.approvals.requireRunnable("watch");
});

test("the audit trail tells of every signed decision and its key, and of none that was refused", async () => {
  await using it = await approvalsFixture();
  const [second, stranger] = [testKey(), testKey()];
  await it.addVersion(1, "one");
  await it.approve(1);
  await expect(it.approve(1, stranger)).rejects.toEqual(code("key_untrusted"));
  await it.approve(1, it.key, { decision: "revoke" });
  await it.trust(second);
  await it.endKey(second);
  const own = `person (key ${it.key.publicKey.id})`;
  const events = await listEvents(it.db, { actor: "person (key", limit: 10 });
  const key = `key:${second.publicKey.id}`;
  expect(events.map(({ kind, subject, actor }) => [kind, subject, actor])).toEqual([
    ["key.revoked", key, own],
    ["key.trusted", key, own],
    ["version.revoked", "watch", own],
    ["version.approved", "watch", own],
  ]);
  expect(JSON.parse(events.at(-1)?.detail ?? "{}")).toMatchObject({ version: 1, decision: 1 });
});

test("a revoked key takes the keys that it vouched for with it", async () => {
  await using it = await approvalsFixture();
  const [second, third] = [testKey(), testKey()];
  await it.addVersion(1, "one");
  await it.trust(second);
  await it.trust(third, second);
  await it.approve(1, third);
  await it.endKey(second);
  await expect(it.approvals.requireRunnable("watch")).rejects.toEqual(code("not_approved"));
});

test("a rotation hands on: what the new key signed again runs without a gap, the old key counts no more", async () => {
  await using it = await approvalsFixture();
  const next = testKey();
  await it.addVersion(1, "one");
  await it.approve(1);
  await it.trust(next);
  await it.approve(1, next, { decision: "activate" });
  await it.endKey(it.key, next);
  expect((await it.approvals.requireRunnable("watch")).version).toBe(1);
  await expect(it.approve(1)).rejects.toEqual(code("key_untrusted"));
  await using restarted = await it.open();
  expect(await restarted.active("watch")).toMatchObject({ keyId: next.publicKey.id });
});

test("a version that changed or was overtaken since the review is not approved", async () => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "one");
  const read = signDecision(it.key, await it.draft(1));
  await it.db.updateTable("versions").set({ compiler: "another" }).execute();
  await expect(it.record(read)).rejects.toEqual(code("stale_review"));
  await it.db.updateTable("versions").set({ compiler: "esbuild 1", state: "superseded" }).execute();
  await it.addVersion(2, "two");
  await expect(it.record(read)).rejects.toEqual(code("stale_review"));
});

test("trusted keys that others can write stop every job, and it goes on once they are safe", async () => {
  await using it = await approvalsFixture();
  await it.addVersion(1, "one");
  await it.approve(1);
  chmodSync(it.home.trustedKeys, 0o666);
  await expect(it.approvals.requireRunnable("watch")).rejects.toEqual(code("key_unsafe"));
  chmodSync(it.home.trustedKeys, 0o600);
  await it.approvals.requireRunnable("watch");
});
