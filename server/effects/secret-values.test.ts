import { createHmac } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { performEffect } from "../../tests/support/effects.ts";
import { readSecrets, removeSecret, setSecret } from "./secret-values.ts";

let folder = "";
let file = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "jobrunner-secrets-"));
  file = join(folder, "home", ".env");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  "plain-value",
  "https://hooks.example.org/a?b=c#d",
  "q\"u\\o't e",
  "a\nb\r\n\tc",
  " spaces ",
  "# no comment",
  "ä€😀 text",
  "$HOME `x`",
])("%j comes back as it was set", (value) => {
  setSecret(file, "KEY", value);
  expect(readSecrets(file).get("KEY")).toBe(value);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("setting and removing keep the lines of others", () => {
  setSecret(file, "A", "first-value");
  writeFileSync(file, "# mine\nexport B = 'second value' # why\nC=third-value # note\nD=\n", { flag: "a" });
  setSecret(file, "A", "changed-value");
  expect(readFileSync(file, "utf8")).toContain("# mine\n");
  const read = readSecrets(file);
  expect([read.names(), read.get("A"), read.get("B"), read.get("C")]).toEqual([
    ["A", "B", "C"],
    "changed-value",
    "second value",
    "third-value",
  ]);
  removeSecret(file, "A");
  expect(readSecrets(file).names()).toEqual(["B", "C"]);
  expect(() => removeSecret(file, "A")).toThrow("No value is set for A");
});

test("what cannot be a secret is refused, without repeating a value", () => {
  expect(() => setSecret(file, "lower", "long-enough")).toThrow("no name for a secret");
  expect(() => setSecret(file, "KEY", "short")).toThrow("at least 6 characters");
  expect(() => setSecret(file, "KEY", "nul\0nul")).toThrow("not text");
  setSecret(file, "KEY", "long-enough");
  writeFileSync(file, 'KEY="hidden-value\n', { mode: 0o600 });
  expect(() => readSecrets(file)).toThrow(/line 1: the quotes of KEY do not close/);
  chmodSync(file, 0o644);
  if (process.platform !== "win32") expect(() => readSecrets(file)).toThrow("Others can read");
});

test("secrets.get and secrets.hmac serve granted names with a value", async () => {
  const setup = {
    grants: { KEY: ["a.example.org"], UNSET: [], TINY: [] },
    values: { KEY: "secret-value", OTHER: "other-value", TINY: "abc" },
  };
  const hmac = { name: "KEY", algorithm: "SHA-256", data: Buffer.from("data").toString("base64"), encoding: "hex" };
  expect(await performEffect("secrets.hmac", hmac, setup)).toEqual({
    digest: createHmac("sha256", "secret-value").update("data").digest("hex"),
  });
  const get = (name: string) => performEffect("secrets.get", { name }, setup);
  await expect(get("OTHER")).rejects.toMatchObject({ code: "permission_denied" });
  await expect(get("__proto__")).rejects.toMatchObject({ code: "permission_denied" });
  await expect(get("UNSET")).rejects.toMatchObject({ code: "secret_not_found" });
  await expect(get("TINY")).rejects.toMatchObject({ code: "invalid_config" });
});

test("a timer ends with the attempt", async () => {
  expect(await performEffect("timer", { ms: 0 })).toBeNull();
  const end = new AbortController();
  const wait = performEffect("timer", { ms: 2_000_000_000 }, { signal: end.signal });
  end.abort();
  await expect(wait).rejects.toMatchObject({ name: "AbortError" });
});
