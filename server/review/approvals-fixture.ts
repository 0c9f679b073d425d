import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testManifest as completeManifest, testPermissions } from "../../tests/support/runs.ts";
import { testStore } from "../../tests/support/store.ts";
import { canonicalJson } from "../canonical-json.ts";
import { homePaths } from "../home.ts";
import type { Manifest } from "../jobs/manifest.ts";
import { silentLog } from "../log.ts";
import { sha256 } from "../sha256.ts";
import { createApprovals } from "./approvals.ts";
import { genesis } from "./canonical-text.ts";
import { createKeyFile, openKey, type SigningKey } from "./key-file.ts";
import { trustSubject } from "./public-key.ts";
import { readReviewMaterial } from "./read-review-material.ts";
import { recordDecision } from "./record-decision.ts";
import { type DecisionDraft, type SignedDecision, signDecision } from "./sign.ts";
import { addTrustedKey } from "./trusted-keys.ts";

/** The clock of these tests. */
export const testTime = new Date("2026-11-20T12:00:00.000Z");

type Change = Partial<Omit<Manifest, "permissions">> & { permissions?: Partial<Manifest["permissions"]> };

/** A manifest that asks for one host and one secret each morning, with what a test changes; permissions are changed as a whole. */
export function testManifest({ permissions, ...change }: Change = {}): Manifest {
  return {
    ...completeManifest(),
    description: "Tells of new releases",
    schedules: [
      {
        key: "main",
        cron: "0 8 * * *",
        timezone: "Asia/Seoul",
        catchUp: "latest",
        catchUpMax: 10,
        overlap: "skip",
        startDeadlineMs: null,
        jitterMs: 0,
      },
    ],
    permissions: testPermissions(
      permissions ?? {
        net: [{ host: "api.example.org", port: null, private: false }],
        secrets: { CHAT_WEBHOOK: ["hooks.example.org"] },
      },
    ),
    limits: { ...completeManifest().limits, timeoutMs: 60_000, memoryMb: 128, effects: 1000 },
    retry: { attempts: 1, backoff: "fixed", delayMs: 1000, maxDelayMs: 1000 },
    timezone: "Asia/Seoul",
    ...change,
  };
}

/** A key without passphrase, since scrypt takes its time on purpose. */
export function testKey(): SigningKey {
  return openKey(createKeyFile({ passphrase: null, label: null, now: testTime }), "");
}

/** A home, a store with the job `watch`, and a person whose key that home trusts. */
export async function approvalsFixture() {
  const folder = mkdtempSync(join(tmpdir(), "jr-review-"));
  const home = homePaths({ JOBRUNNER_HOME: folder });
  const store = await testStore();
  const { db } = store;
  const key = testKey();
  addTrustedKey(home, key.publicKey, testTime);
  const log = silentLog;
  const open = () => createApprovals({ store, home, log });
  const approvals = await open();
  const clock = () => testTime;
  await db.insertInto("jobs").values({ name: "watch", state: "active", path: "watch.ts" }).execute();

  const headNow = async () =>
    (await db.selectFrom("decisions").select("hash").orderBy("seq", "desc").executeTakeFirst())?.hash ?? genesis;

  const addVersion = async (number: number, source: string, manifest: Manifest = testManifest()) => {
    const bundle = `/* bundle of */ ${source}`;
    const blobs = [source, bundle].map((text) => ({ hash: sha256(text), bytes: Buffer.from(text) }));
    await db
      .insertInto("blobs")
      .values(blobs)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const snapshot = canonicalJson({
      entry: "watch.ts",
      files: { "watch.ts": { hash: sha256(source), bytes: Buffer.byteLength(source) } },
    });
    const text = canonicalJson(manifest);
    await db
      .insertInto("versions")
      .values({
        job: "watch",
        number,
        state: "pending",
        source_hash: sha256(snapshot),
        bundle_hash: sha256(bundle),
        manifest_hash: sha256(text),
        source_map_hash: null,
        manifest: text,
        snapshot,
        packages: "[]",
        checks: "[]",
        compiler: "esbuild 1",
        runtime: "1",
        proposed_by: "test-host 1.0",
        note: "please",
        rejected_note: null,
      })
      .execute();
  };

  const material = (number?: number) => readReviewMaterial({ db, approvals }, "watch", number);

  const draft = async (number: number, change: Partial<DecisionDraft> = {}): Promise<DecisionDraft> => {
    const row = await db.selectFrom("versions").selectAll().where("number", "=", number).executeTakeFirstOrThrow();
    return {
      kind: "job",
      name: "watch",
      version: number,
      source: row.source_hash,
      bundle: row.bundle_hash,
      manifest: row.manifest_hash,
      compiler: row.compiler,
      runtime: row.runtime,
      decision: "approve",
      time: testTime.toISOString(),
      previous: await headNow(),
      ...change,
    };
  };

  const record = (signed: SignedDecision) => recordDecision({ store, home, approvals, clock }, signed);
  const approve = async (number: number, by: SigningKey = key, change: Partial<DecisionDraft> = {}) =>
    record(signDecision(by, await draft(number, change)));
  /** A decision that names no version. */
  const decide = async (
    change: Pick<DecisionDraft, "kind" | "name" | "decision"> & Partial<DecisionDraft>,
    by: SigningKey = key,
  ) => record(signDecision(by, { time: testTime.toISOString(), previous: await headNow(), ...change }));
  const trust = (added: SigningKey, by: SigningKey = key) =>
    decide({ kind: "key", name: added.publicKey.id, decision: "trust", subject: trustSubject(added.publicKey) }, by);
  const endKey = (ended: SigningKey, by: SigningKey = key) =>
    decide({ kind: "key", name: ended.publicKey.id, decision: "revoke_key" }, by);

  /** Writes a row as somebody would who has the database but no key that counts. */
  const forge = async (
    { text, signature, hash }: SignedDecision,
    change: { key_id: string; previous: string; name?: string },
  ) =>
    db
      .insertInto("decisions")
      .values({ kind: "job", name: "watch", version: 1, decision: "approve", text, signature, hash, ...change })
      .execute();

  return {
    home,
    deps: { store, approvals, config: { home } },
    db,
    key,
    approvals,
    open,
    headNow,
    addVersion,
    material,
    draft,
    record,
    approve,
    decide,
    trust,
    endKey,
    forge,
    async [Symbol.asyncDispose]() {
      await approvals[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
