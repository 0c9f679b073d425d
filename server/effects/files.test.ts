import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { effectContext, performEffect, prepareEffect } from "../../tests/support/effects.ts";
import { testManifest, testPermissions } from "../../tests/support/runs.ts";

let root: string;
const at = (...parts: string[]) => join(root, ...parts);
const base64 = (text: string) => Buffer.from(text).toString("base64");

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "jobrunner-files-"));
  for (const folder of ["notes", "notes/deep", "out", "outside", "home"]) mkdirSync(at(folder));
  writeFileSync(at("notes/a.txt"), "alpha");
  writeFileSync(at("outside/secret.txt"), "secret");
  writeFileSync(at("home/approver.key"), "key");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

type Given = Readonly<{ read?: string[]; write?: string[]; responseBytes?: number; requestBytes?: number }>;

/** Performs an effect of files where `notes` may be read and `out` be written. */
function perform(op: string, args: object, given: Given = {}): Promise<unknown> {
  const { read = [at("notes")], write = [at("out")], responseBytes = 1_000, requestBytes = 1_000 } = given;
  const permissions = { files: { read, write } };
  return performEffect(`files.${op}`, args, {
    permissions,
    limits: { responseBytes, requestBytes },
    homeFolder: at("home"),
  });
}
const write = (path: string, text: string, mode = "replace", given?: Given) =>
  perform("write", { path, data: base64(text), mode }, given);

test("a granted file is read, listed, written and deleted", async () => {
  const modifiedMs = expect.any(Number);
  expect(await perform("read", { path: at("notes/a.txt") })).toEqual({ data: base64("alpha"), bytes: 5, modifiedMs });
  expect(await perform("stat", { path: at("notes/deep") })).toEqual({ type: "folder", bytes: 0, modifiedMs });
  expect(await perform("stat", { path: at("notes/none/b") })).toBeNull();
  symlinkSync(at("outside"), at("notes/link"));
  writeFileSync(at("notes/Ä"), "");
  const { entries } = Object(await perform("list", { path: at("notes") }));
  expect(entries).toEqual([
    { name: "a.txt", type: "file", bytes: 5, modifiedMs },
    { name: "deep", type: "folder", bytes: 0, modifiedMs },
    { name: "link", type: "other", bytes: 0, modifiedMs },
    { name: "Ä", type: "file", bytes: 0, modifiedMs },
  ]);
  expect(await write(at("out/b"), "one")).toEqual({ bytes: 3 });
  expect(await write(at("out/b"), "two", "append")).toEqual({ bytes: 3 });
  expect(await perform("read", { path: at("out/b") })).toMatchObject({ data: base64("onetwo") });
  expect(await perform("delete", { path: at("out/b") })).toEqual({ deleted: true });
  expect(await perform("delete", { path: at("out/b") })).toEqual({ deleted: false });
  expect(await perform("delete", { path: at("out/none/b") })).toEqual({ deleted: false });
  await write(at("out/new"), "made", "append");
  expect(readFileSync(at("out/new"), "utf8")).toBe("made");
});

test("a file is replaced whole, keeps its mode, and leaves no draft behind", async () => {
  writeFileSync(at("out/b"), "old");
  chmodSync(at("out/b"), 0o640);
  await write(at("out/b"), "new");
  expect(statSync(at("out/b")).mode & 0o777).toBe(0o640);
  await expect(write(at("out/b"), "x", "create")).rejects.toMatchObject({ code: "file_exists" });
  await write(at("out/c"), "x", "create");
  await expect(write(at("out/none/b"), "x")).rejects.toThrow(`There is no folder "${at("out/none")}"`);
  mkdirSync(at("out/folder"));
  await expect(write(at("out/folder"), "x")).rejects.toMatchObject({ code: "file_unsafe" });
  expect(readdirSync(at("out")).sort()).toEqual(["b", "c", "folder"]);
  expect(readFileSync(at("out/b"), "utf8")).toBe("new");
});

test("a draft that a crash left behind is written over, be it a link", async () => {
  const draft = `.jobrunner-${effectContext().seed.slice(0, 16)}-3.new`;
  symlinkSync(at("outside/secret.txt"), at("out", draft));
  await write(at("out/b"), "new");
  expect(readFileSync(at("outside/secret.txt"), "utf8")).toBe("secret");
  expect(readdirSync(at("out"))).toEqual(["b"]);
});

test("limits are named, at the byte", async () => {
  expect(await perform("read", { path: at("notes/a.txt") }, { responseBytes: 5 })).toMatchObject({ bytes: 5 });
  await expect(perform("read", { path: at("notes/a.txt") }, { responseBytes: 4 })).rejects.toThrow(
    "limits.responseBytes",
  );
  await write(at("out/b"), "12345", "replace", { requestBytes: 5 });
  const long = write(at("out/b"), "123456", "replace", { requestBytes: 5 });
  await expect(long).rejects.toMatchObject({ code: "limit_exceeded" });
  await expect(long).rejects.toThrow("limits.requestBytes");
});

test("a folder with more entries than are listed says so", async () => {
  for (let i = 0; i < 10_001; i++) writeFileSync(at("out", `${i}`), "");
  await expect(perform("list", { path: at("out") })).rejects.toMatchObject({ code: "limit_exceeded" });
  rmSync(at("out/0"));
  expect(Object(await perform("list", { path: at("out") })).entries).toHaveLength(10_000);
});

test("a grant may be one file, a link to a folder, or not be there yet", async () => {
  symlinkSync(at("notes"), at("alias"));
  expect(await perform("read", { path: at("alias/a.txt") }, { read: [at("alias")] })).toMatchObject({ bytes: 5 });
  const one = { write: [at("outside/report.md")] };
  await write(at("outside/report.md"), "x", "create", one);
  await write(at("outside/report.md"), "y", "replace", one);
  expect(await perform("read", { path: at("outside/report.md") }, one)).toMatchObject({ data: base64("y") });
  await expect(perform("read", { path: at("outside/secret.txt") }, one)).rejects.toMatchObject({
    code: "permission_denied",
  });
  symlinkSync(at("notes/a.txt"), at("notes/same"));
  expect(await perform("read", { path: at("notes/same") })).toMatchObject({ bytes: 5 });
});

/** Paths that must not be read: name, path, grants for reading, code. */
const unreadable: readonly [string, () => string, (() => string[]) | undefined, string][] = [
  ["a link out of the grant", () => link("notes/l", "outside/secret.txt"), undefined, "file_unsafe"],
  ["a link in the middle", () => join(link("notes/l", "outside"), "secret.txt"), undefined, "file_unsafe"],
  ["a link to a link", () => link("notes/m", link("notes/l", "outside/secret.txt")), undefined, "file_unsafe"],
  ["a link into the home folder", () => link("notes/l", "home/approver.key"), () => [root], "permission_denied"],
  ["the home folder within a wider grant", () => at("home/approver.key"), () => [root], "permission_denied"],
  [
    "the home folder by a linked grant",
    () => join(link("alias", root), "home/approver.key"),
    aliasGrant,
    "permission_denied",
  ],
  ["..", () => `${at("notes")}/../outside/secret.txt`, undefined, "permission_denied"],
  [".. after a link", () => `${link("notes/l", "outside/deeper")}/../secret.txt`, undefined, "file_not_found"],
  ["a folder whose name begins alike", () => at("notes-private/a"), undefined, "permission_denied"],
  ["no grant", () => at("outside/secret.txt"), undefined, "permission_denied"],
  ["a pipe", () => pipe("notes/pipe"), undefined, "file_unsafe"],
  ["a folder", () => at("notes/deep"), undefined, "file_unsafe"],
  ["a device", () => "/dev/zero", () => ["/"], "file_unsafe"],
  ["a link to a device", () => link("notes/l", "/dev/zero"), () => ["/"], "file_unsafe"],
  ["the daemon's environment", () => "/proc/self/environ", () => ["/"], "file_unsafe"],
  ["a link to the daemon's environment", () => link("notes/l", "/proc/self/environ"), undefined, "file_unsafe"],
  ["an open file of the daemon", () => "/proc/self/fd/0", () => ["/"], "file_unsafe"],
  ["a loop of links", () => link("notes/l", "notes/l"), undefined, "file_unsafe"],
  ["a dangling link", () => link("notes/l", "notes/none"), undefined, "file_not_found"],
  ["nothing", () => at("notes/none"), undefined, "file_not_found"],
  ["a file as a folder", () => at("notes/a.txt/b"), undefined, "file_not_found"],
  ["a relative path", () => "notes/a.txt", undefined, "invalid_argument"],
  ["another user's home folder", () => "~root/x", undefined, "invalid_argument"],
  ["a name that is too long", () => at("notes", "x".repeat(300)), undefined, "invalid_argument"],
];

test.each(unreadable)("%s is not read", async (_name, path, read, code) => {
  const hostile = path();
  const given = read === undefined ? {} : { read: read() };
  await expect(perform("read", { path: hostile }, given)).rejects.toMatchObject({ name: "UserError", code });
});

/** Paths that must not be written: name, path, modes, code. */
const unwritable: readonly [string, () => string, string[], string][] = [
  ["a link out of the grant", () => link("out/l", "outside/secret.txt"), ["replace", "append"], "file_unsafe"],
  ["a link within the grant", () => link("out/l", file("out/plain")), ["replace", "append"], "file_unsafe"],
  ["a dangling link", () => link("out/l", "outside/new"), ["replace", "append"], "file_unsafe"],
  ["a link, created over", () => link("out/l", "outside/new"), ["create"], "file_exists"],
  ["a link in the middle", () => join(link("out/l", "outside"), "new"), ["replace", "append", "create"], "file_unsafe"],
  ["a link to what may be read", () => join(link("out/l", "notes"), "new"), ["replace", "create"], "file_unsafe"],
  ["what may be read only", () => at("notes/a.txt"), ["replace", "append", "create"], "permission_denied"],
  ["..", () => `${at("out")}/../outside/new`, ["replace", "append", "create"], "permission_denied"],
  ["a hard link", () => hardLink("out/h", "outside/secret.txt"), ["append"], "file_unsafe"],
  ["a pipe", () => pipe("out/pipe"), ["replace", "append"], "file_unsafe"],
  ["the grant itself", () => at("out"), ["replace", "append"], "file_unsafe"],
];

test.each(unwritable)("%s is not written", async (_name, path, modes, code) => {
  const hostile = path();
  for (const mode of modes) {
    await expect(write(hostile, "x", mode)).rejects.toMatchObject({ name: "UserError", code });
  }
  expect(readFileSync(at("outside/secret.txt"), "utf8")).toBe("secret");
  expect(readdirSync(at("outside"))).toEqual(["secret.txt"]);
  expect(readdirSync(at("notes")).sort()).toEqual(["a.txt", "deep"]);
});

test("replacing a hard link leaves its other name alone", async () => {
  await write(hardLink("out/h", "outside/secret.txt"), "x");
  expect(readFileSync(at("outside/secret.txt"), "utf8")).toBe("secret");
});

test("only plain files of the grant are deleted", async () => {
  const code = (path: string, given?: Given) => perform("delete", { path }, given).catch((error) => error.code);
  expect(await code(link("out/l", "outside/secret.txt"))).toBe("file_unsafe");
  expect(await code(join(link("out/m", "outside"), "secret.txt"))).toBe("file_unsafe");
  expect(await code(at("notes/a.txt"))).toBe("permission_denied");
  expect(await code(at("home/approver.key"), { write: [root] })).toBe("permission_denied");
  expect(await code(pipe("out/pipe"))).toBe("file_unsafe");
  expect(await code("/", { write: ["/"] })).toBe("file_unsafe");
  expect(existsSync(at("outside/secret.txt"))).toBe(true);
});

test("nothing of the home folder is listed or looked at", async () => {
  for (const op of ["list", "stat"]) {
    await expect(perform(op, { path: at("home") }, { read: [root] })).rejects.toMatchObject({
      code: "permission_denied",
    });
    await expect(perform(op, { path: link(`notes/${op}`, "outside") })).rejects.toMatchObject({ code: "file_unsafe" });
  }
});

test("a folder that is swapped for a link all the time never leads out", async () => {
  const swap =
    'while :; do mv "$0/notes/deep" "$0/notes/kept"; ln -s "$0/outside" "$0/notes/deep"; rm "$0/notes/deep"; mv "$0/notes/kept" "$0/notes/deep"; done';
  writeFileSync(at("notes/deep/secret.txt"), "harmless");
  const racer = spawn("/bin/sh", ["-c", swap, root], { stdio: "ignore", detached: true });
  try {
    const read = new Set<string>();
    for (let i = 0; i < 400; i++) {
      const found = perform("read", { path: at("notes/deep/secret.txt") }).then((got) => Object(got).data);
      read.add(await found.catch((error) => error.code));
      await write(at("notes/deep/mine"), "x", "replace", { write: [at("notes")] }).catch(() => {});
    }
    expect([...read]).not.toContain(base64("secret"));
    expect(read).toContain(base64("harmless"));
  } finally {
    const ended = once(racer, "exit");
    if (racer.pid !== undefined) process.kill(-racer.pid, "SIGKILL");
    await ended;
  }
  expect(readdirSync(at("outside"))).toEqual(["secret.txt"]);
});

test("what may be repeated, and what a rehearsal refuses", () => {
  const manifest = testManifest({
    permissions: testPermissions({ files: { read: ["~/notes"], write: [at("out")] } }),
  });
  const safe = (op: string, args: object) => prepareEffect(op, args, manifest).safe;
  expect(safe("files.read", { path: "~/notes/a" })).toBe(true);
  expect(safe("files.stat", { path: join(homedir(), "notes") })).toBe(true);
  expect(safe("files.list", { path: "~/notes" })).toBe(true);
  expect(safe("files.delete", { path: at("out/a") })).toBe(true);
  const modes = ["replace", "append", "create"];
  expect(modes.map((mode) => safe("files.write", { path: at("out/a"), data: "", mode }))).toEqual([true, false, false]);
  expect(() => safe("files.delete", { path: "~/notes/a" })).toThrow(
    'may not write "~/notes/a": add the file or a folder above it to permissions.files.write',
  );
  for (const path of ["", "a\0b", "\ud800"]) expect(() => safe("files.read", { path })).toThrow();
});

function link(path: string, to: string): string {
  symlinkSync(to.startsWith("/") ? to : at(to), at(path));
  return at(path);
}

function hardLink(path: string, to: string): string {
  linkSync(at(to), at(path));
  return at(path);
}

function file(path: string): string {
  writeFileSync(at(path), "");
  return path;
}

function pipe(path: string): string {
  execFileSync("mkfifo", [at(path)]);
  return at(path);
}

function aliasGrant(): string[] {
  return [at("alias")];
}
