import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { serve } from "@hono/node-server";
import type { Command } from "commander";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { definitionsApi } from "../daemon/api/definitions.ts";
import { reviewApi } from "../daemon/api/review.ts";
import { writeDaemonInfo } from "../daemon/info.ts";
import { UserError } from "../errors.ts";
import { rebuildBundle } from "../jobs/compile.ts";
import { silentLog } from "../log.ts";
import { approvalsFixture, testKey, testTime } from "../review/approvals-fixture.ts";
import { createKeyFile, openKey, publicKeyOf, readKeyFile, writeKeyFile } from "../review/key-file.ts";
import { publicKeyLine } from "../review/public-key.ts";
import { addTrustedKey } from "../review/trusted-keys.ts";
import { command as approve } from "./approve.ts";
import type { CliContext } from "./context.ts";
import { command as keys } from "./keys.ts";
import { command as reject } from "./reject.ts";
import { command as revoke } from "./revoke.ts";
import { command as setup } from "./setup.ts";

const passphrase = "correct horse";
const code = (expected: string) => expect.objectContaining({ name: "UserError", code: expected });

/** A person's door that serves reviews and decisions alone, and a home with a protected key. */
async function door() {
  const it = await approvalsFixture();
  const secrets = () => ({ get: () => undefined, names: () => [] });
  const app = new Hono()
    .route("/", reviewApi({ ...it.deps, clock: () => testTime, nudge: () => undefined }))
    .route("/", definitionsApi({ ...it.deps, secrets, log: silentLog, watch: Promise.resolve(undefined) }));
  app.onError((error, c) =>
    error instanceof UserError
      ? c.json({ code: error.code, message: error.message, next: error.next ?? null }, 400)
      : c.json({ code: "bug", message: error.message }, 500),
  );
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const url = `http://127.0.0.1:${port}`;
  writeDaemonInfo(it.home, {
    role: "daemon",
    pid: process.pid,
    started_at: "",
    version: "",
    socket: "",
    url,
    store: "",
  });
  mkdirSync(dirname(it.home.personToken), { recursive: true });
  writeFileSync(it.home.personToken, "token");
  const run = async (make: (context: CliContext) => Command, args: string[], input = "") => {
    const stdout = new PassThrough();
    const context: CliContext = {
      env: {},
      home: it.home,
      stdin: Readable.from([input]),
      stdout,
      stderr: new PassThrough().resume(),
      colour: false,
      interactive: false,
      signal: new AbortController().signal,
    };
    await make(context).parseAsync(args, { from: "user" });
    stdout.end();
    return text(stdout);
  };
  return {
    ...it,
    run,
    /** Puts a key with a passphrase in the home, trusted as `jr setup` does it. */
    addOwnKey() {
      const file = createKeyFile({ passphrase, label: null, now: testTime });
      writeKeyFile(it.home.approverKey, file);
      addTrustedKey(it.home, publicKeyOf(file), testTime);
      return openKey(file, passphrase);
    },
    async [Symbol.asyncDispose]() {
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await it[Symbol.asyncDispose]();
    },
  };
}

test("setup makes one protected key, and needs a terminal or a passphrase on standard input", async () => {
  await using it = await door();
  await expect(it.run(setup, [])).rejects.toEqual(code("no_terminal"));
  await expect(it.run(setup, ["--no-passphrase", "--yes"])).rejects.toEqual(code("no_terminal"));
  await expect(it.run(setup, ["--passphrase-stdin"], "short\n")).rejects.toEqual(code("invalid_argument"));
  await it.run(setup, ["--passphrase-stdin"], `${passphrase}\n`);
  expect(statSync(it.home.approverKey).mode & 0o777).toBe(0o600);
  await expect(it.run(setup, ["--passphrase-stdin"], `${passphrase}\n`)).rejects.toEqual(code("key_exists"));
});

test("no flag signs without the passphrase of a protected key", async () => {
  await using it = await door();
  it.addOwnKey();
  await it.addVersion(1, "one");
  for (const args of [["watch"], ["watch", "v1", "--yes"]]) {
    await expect(it.run(approve, args)).rejects.toEqual(code("no_terminal"));
    await expect(it.run(revoke, args)).rejects.toEqual(code("no_terminal"));
  }
  await expect(it.run(revoke, ["watch", "--yes", "--passphrase-stdin"], "wrong horse\n")).rejects.toEqual(
    code("wrong_passphrase"),
  );
  await expect(it.run(revoke, ["watch", "--yes", "--passphrase-stdin"])).rejects.toEqual(code("wrong_passphrase"));
  expect(await it.approvals.decisions()).toEqual([]);
});

test("a bundle that does not come of its source is not signed", async () => {
  await using it = await door();
  it.addOwnKey();
  await it.addVersion(1, "export default 1;");
  const signing = it.run(approve, ["watch", "--yes", "--passphrase-stdin"], `${passphrase}\n`);
  await expect(signing).rejects.toEqual(code("approval_invalid"));
  expect(await it.approvals.decisions()).toEqual([]);
});

test("approve shows the review, makes the bundle again, signs, and the job may run", async () => {
  await using it = await door();
  const own = it.addOwnKey();
  const source = "export default 1;";
  await it.addVersion(1, source);
  const { bundle, bundleHash } = await rebuildBundle(new Map([["watch.ts", Buffer.from(source)]]), "watch.ts");
  await it.db
    .insertInto("blobs")
    .values({ hash: bundleHash, bytes: Buffer.from(bundle) })
    .execute();
  await it.db.updateTable("versions").set({ bundle_hash: bundleHash }).execute();
  const shown = await it.run(approve, ["watch", "--yes", "--passphrase-stdin"], `${passphrase}\n`);
  expect(shown).toContain("+export default 1;");
  expect(shown).toContain("Approved: watch v1 runs from now on.");
  expect(await it.approvals.requireRunnable("watch")).toMatchObject({ version: 1, bundle });
  expect(await it.approvals.active("watch")).toMatchObject({ keyId: own.publicKey.id });
  expect(await it.run(approve, ["watch", "--passphrase-stdin"])).toContain("active already");
});

test("revoking stops the job; rejecting needs no key", async () => {
  await using it = await door();
  it.addOwnKey();
  await it.addVersion(1, "one");
  await it.approve(1);
  await it.addVersion(2, "two");
  expect(await it.run(reject, ["watch", "--note", "too wide"])).toContain("Rejected: watch v2");
  await it.run(revoke, ["watch", "--yes", "--passphrase-stdin"], `${passphrase}\n`);
  await expect(it.approvals.requireRunnable("watch")).rejects.toEqual(code("not_approved"));
});

test("keys are added, listed, rotated and revoked with the person's signature", async () => {
  await using it = await door();
  const own = it.addOwnKey();
  const other = testKey();
  await it.addVersion(1, "one");
  await it.approve(1, own);
  const signed = (args: string[]) =>
    it.run(keys, [...args, "--yes", "--passphrase-stdin"], `${passphrase}\nanother horse\n`);
  await signed(["add", publicKeyLine(other.publicKey)]);
  expect(await it.run(keys, ["list"])).toMatch(
    new RegExp(`${other.publicKey.id} {2}trusted, UNPROTECTED, added by ${own.publicKey.id}`),
  );
  await signed(["revoke", other.publicKey.id.slice(0, 6)]);
  expect(await it.run(keys, ["list"])).toMatch(new RegExp(`${other.publicKey.id} {2}revoked`));
  expect(await signed(["rotate"])).toContain("Signed again by the new key: watch v1");
  const next = openKey(readKeyFile(it.home.approverKey), "another horse");
  expect(await it.approvals.active("watch")).toMatchObject({ version: 1, keyId: next.publicKey.id });
  await it.approvals.requireRunnable("watch");
  await expect(it.approve(1, own)).rejects.toEqual(code("key_untrusted"));
  expect(await it.run(keys, ["export"])).toBe(`${publicKeyLine(next.publicKey)}\n`);
});

test("a chain that was cut is accepted by name", async () => {
  await using it = await door();
  it.addOwnKey();
  await it.addVersion(1, "one");
  await it.approve(1);
  await it.db.deleteFrom("decisions").execute();
  expect(await it.run(keys, ["list"])).toContain("PROBLEM: The chain of decisions was cut");
  const accepted = await it.run(keys, ["accept-chain", "--yes", "--passphrase-stdin"], `${passphrase}\n`);
  expect(accepted).toContain("Accepted");
  await expect(it.approvals.requireRunnable("watch")).rejects.toEqual(code("not_approved"));
});
