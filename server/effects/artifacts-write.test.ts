import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EffectSetup, effectContext, performEffect, prepareEffect } from "../../tests/support/effects.ts";
import { addJob, testManifest } from "../../tests/support/runs.ts";
import { storeKinds, testStore } from "../../tests/support/store.ts";
import { enqueue } from "../runs/queue/enqueue.ts";
import { sha256 } from "../sha256.ts";
import type { Db } from "../store/open-store.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "jobrunner-artifacts-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Writes artifacts of a new run. */
async function writer(db: Db) {
  await addJob(db, "test");
  const { run } = await enqueue(db, { job: "test", trigger: "person", requestedBy: "person", traceId: "t" });
  const runFolder = join(root, "runs", "R1");
  return (name: string, text: string, setup: EffectSetup = {}) =>
    performEffect("artifacts.write", order(name, text), { db, runId: run.id, runFolder, ...setup });
}

function order(name: string, text: string) {
  return { name, type: "text/plain", data: Buffer.from(text).toString("base64") };
}

const folder = () => join(root, "runs", "R1");

test.each(storeKinds)("an artifact is kept once, whole, and on record (%s)", async (kind) => {
  await using store = await testStore(kind);
  const write = await writer(store.db);
  const facts = { name: "report ä.md", bytes: 5, sha256: sha256("alpha"), type: "text/plain" };
  expect(await write("report ä.md", "alpha")).toEqual(facts);
  // As after a crash.
  rmSync(join(folder(), "report ä.md"));
  expect(await write("report ä.md", "alpha")).toEqual(facts);
  await expect(write("report ä.md", "other")).rejects.toMatchObject({ code: "file_exists" });
  expect(readFileSync(join(folder(), "report ä.md"), "utf8")).toBe("alpha");
  expect(readdirSync(folder())).toEqual(["report ä.md"]);
  expect(statSync(folder()).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder(), "report ä.md")).mode & 0o777).toBe(0o600);
  await write("report ä.md", "anew", { attempt: 3 });
  const rows = await store.db.selectFrom("artifacts").selectAll().execute();
  expect(rows).toMatchObject([{ attempt: 3, sha256: sha256("anew"), media_type: "text/plain" }]);
  expect(readFileSync(join(folder(), "report ä.md"), "utf8")).toBe("anew");
});

test.each(storeKinds)("many at once keep to the total of the run (%s)", async (kind) => {
  await using store = await testStore(kind);
  const write = await writer(store.db);
  const limits = { artifactBytes: 20 };
  const names = ["a", "b", "c", "d"];
  const tried = await Promise.allSettled(names.map((name, i) => write(name, "12345678", { limits, seq: i + 1 })));
  expect(tried.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
  expect(readdirSync(folder())).toHaveLength(2);
  await expect(write("e", "12345", { limits })).rejects.toThrow("limits.artifactBytes");
  await write("e", "1234", { limits });
  await expect(write("f", "12345", { limits: { requestBytes: 4 } })).rejects.toThrow("limits.requestBytes");
});

test.each([
  "",
  ".",
  "..",
  "a/b",
  "../a",
  "/etc/passwd",
  "a\\b",
  "a\0",
  "a\nb",
  "\ud800",
  "x".repeat(129),
  "한".repeat(100),
])("%j is no name of an artifact", (name) => {
  expect(() => prepareEffect("artifacts.write", order(name, ""), testManifest())).toThrow();
});

test("a rehearsal knows the answer without writing", () => {
  const { seed } = effectContext();
  const manifest = testManifest();
  const rehearse = (text: string, limits = manifest.limits) => {
    const prepared = prepareEffect("artifacts.write", { ...order("a", text), type: null }, { ...manifest, limits });
    const rehearsal = { job: "test", manifest: { ...manifest, limits }, seed, seq: 1, kv: new Map() };
    return prepared.rehearse?.({ ...rehearsal, guestMs: () => 0, advance() {} });
  };
  const type = "application/octet-stream";
  expect(rehearse("alpha")).toEqual({ name: "a", bytes: 5, sha256: sha256("alpha"), type });
  expect(() => rehearse("alpha", { ...manifest.limits, artifactBytes: 4 })).toThrow("limits.artifactBytes");
});
