import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { testTime } from "./approvals-fixture.ts";
import { genesis } from "./canonical-text.ts";
import { createKeyFile, openKey, readKeyFile, writeKeyFile } from "./key-file.ts";
import { parsePublicKeyLine, publicKeyLine, verifySignature } from "./public-key.ts";
import { signDecision } from "./sign.ts";

const folder = mkdtempSync(join(tmpdir(), "jr-key-"));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, "approver.key");
const protectedKey = createKeyFile({ passphrase: "correct horse", label: "me", now: testTime });

test("a key opens with its passphrase alone, and signs", () => {
  writeKeyFile(path, protectedKey);
  const file = readKeyFile(path);
  expect(() => openKey(file, "wrong horse")).toThrow(expect.objectContaining({ code: "wrong_passphrase" }));
  const key = openKey(file, "correct horse");
  const draft = {
    kind: "job",
    name: "watch",
    decision: "resume",
    time: testTime.toISOString(),
    previous: genesis,
  } as const;
  const { text, signature } = signDecision(key, draft);
  expect(verifySignature(key.publicKey.raw, text, signature)).toBe(true);
  expect(verifySignature(key.publicKey.raw, text.replace("watch", "other"), signature)).toBe(false);
  expect(verifySignature(key.publicKey.raw, text, `${signature}\n`)).toBe(false);
});

test("the file holds no private key in the clear and is its owner's alone", () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(protectedKey.protected && protectedKey.kdf.n).toBeGreaterThanOrEqual(2 ** 17);
  // What every Ed25519 private key in PKCS #8 begins with.
  expect(Buffer.from(protectedKey.private, "base64").toString("hex")).not.toContain("302e020100300506032b6570");
});

test.each([0o640, 0o604, 0o620, 0o666])("a key file of mode %o is not used", (mode) => {
  writeKeyFile(path, protectedKey);
  chmodSync(path, mode);
  expect(() => readKeyFile(path)).toThrow(expect.objectContaining({ code: "key_unsafe" }));
});

test("a missing, damaged or weakened key file says so", () => {
  expect(() => readKeyFile(join(folder, "none"))).toThrow(expect.objectContaining({ code: "key_missing" }));
  const weak = JSON.parse(JSON.stringify(protectedKey));
  weak.kdf.n = 2;
  for (const text of ["{", JSON.stringify(weak)]) {
    writeFileSync(path, text, { mode: 0o600 });
    chmodSync(path, 0o600);
    expect(() => readKeyFile(path)).toThrow(expect.objectContaining({ code: "key_unsafe" }));
  }
});

test("an unprotected key says that it is", () => {
  const file = createKeyFile({ passphrase: null, label: null, now: testTime });
  expect(openKey(file, "").publicKey.protected).toBe(false);
  writeKeyFile(path, file);
  expect(JSON.parse(readFileSync(path, "utf8")).protected).toBe(false);
});

test("an exported public key is read back; anything else is refused", () => {
  const { publicKey } = openKey(protectedKey, "correct horse");
  expect(parsePublicKeyLine(`${publicKeyLine(publicKey)}\n`)).toEqual(publicKey);
  for (const line of [
    "",
    "jobrunner-ed25519 AAAA protected",
    publicKeyLine(publicKey).replace(" protected", " maybe"),
  ]) {
    expect(() => parsePublicKeyLine(line)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  }
});
