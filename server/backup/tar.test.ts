import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readTar, tarEnd, tarHeader, tarPadding, wholeEntry } from "./tar.ts";

const files: readonly [name: string, content: Buffer][] = [
  ["plain.txt", Buffer.from("hello\n")],
  ["empty", Buffer.alloc(0)],
  ["exactly-a-block", Buffer.alloc(512, 1)],
  [`jobs/${"long/".repeat(60)}name.ts`, Buffer.from("long")],
  ["jobs/größe-🦀.ts", Buffer.from("not ASCII")],
  ["large", Buffer.alloc(300_001, 7)],
];

const archive = Buffer.concat([
  ...files.flatMap(([name, content]) => [tarHeader(name, content.length), content, tarPadding(content.length)]),
  tarEnd,
]);

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size = 1_000): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for await (const entry of readTar(inPieces(bytes, size)))
    found.push([entry.name, hash(await wholeEntry(entry, 1_000_000))]);
  return found;
}

const hash = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
const expected = files.map(([name, content]) => [name, hash(content)]);

test.each([1, 511, 512, 100_000])("what was written is read again, in pieces of %d bytes", async (size) => {
  expect(await read(archive, size)).toEqual(expected);
});

test("any tar program reads it", () => {
  const folder = mkdtempSync(join(tmpdir(), "jr-tar-"));
  writeFileSync(join(folder, "a.tar"), archive);
  const env = { ...process.env, LC_ALL: "C.UTF-8" };
  const names = execFileSync("tar", ["tf", "a.tar", "--quoting-style=literal"], { cwd: folder, env }).toString();
  expect(names.trimEnd().split("\n")).toEqual(files.map(([name]) => name));
  const large = execFileSync("tar", ["xOf", "a.tar", "large"], { cwd: folder, env });
  expect(hash(large)).toBe(expected.at(-1)?.[1]);
  rmSync(folder, { recursive: true });
});

test("what tar programs write with links and folders in it is refused", async () => {
  const folder = mkdtempSync(join(tmpdir(), "jr-tar-"));
  execFileSync("ln", ["-s", "/etc/passwd", "link"], { cwd: folder });
  const foreign = execFileSync("tar", ["cf", "-", "link"], { cwd: folder });
  await expect(read(foreign)).rejects.toThrow("no plain file");
  rmSync(folder, { recursive: true });
});

test("an archive that is cut off anywhere is refused", async () => {
  for (const at of [0, 100, 512, 600, 1_024, archive.length - 1_024, archive.length - 1])
    await expect(read(archive.subarray(0, at)), `cut at ${at}`).rejects.toThrow(/cut off/);
});
