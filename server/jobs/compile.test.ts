import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { compileJob, rebuildBundle } from "./compile.ts";

/** A job around a body and some imports. */
function job(body: string, imports = ""): string {
  return `${imports}\nimport { defineJob } from "jobrunner";\nexport default defineJob({ description: "a test", async run({ kv, log }) {\n${body}\n} });\n`;
}

function compileTexts(texts: Record<string, string>, folder?: string) {
  const files = new Map(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));
  return compileJob({ entry: Object.keys(texts)[0] ?? "", files, folder });
}

async function findings(texts: Record<string, string>, folder?: string) {
  const result = await compileTexts(texts, folder);
  return result.ok ? result.job.warnings : result.diagnostics;
}

/** A folder with these files, removed at the end of the scope. */
async function openFolder(texts: Record<string, string>) {
  const root = await realpath(await mkdtemp(join(tmpdir(), "jobrunner-test-")));
  for (const [path, text] of Object.entries(texts)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

describe("a job that compiles", () => {
  test("gives the same bundle and hashes each time, with relative paths only, and again from its snapshot alone", async () => {
    await using place = await openFolder({
      "a.ts": job(
        "log.info(twice(2)); const w: Word = 'x'; await kv.set(w, 1)",
        `import { twice } from "./lib/twice.ts";\nimport type { Word } from "./lib/word.ts";`,
      ),
      "lib/twice.ts": "export const twice = (n: number) => n * 2;",
      "lib/word.ts": "export type Word = string;",
      "unrelated.ts": "not even TypeScript",
      "tsconfig.json": '{ "extends": "/nowhere", "compilerOptions": { "jsxFactory": "x" } }',
    });
    const first = await compileJob({ folder: place.root, entry: "a.ts" });
    const second = await compileJob({ folder: place.root, entry: "a.ts" });
    if (!first.ok || !second.ok) throw new Error(JSON.stringify(first));
    expect([...first.job.files.keys()].sort()).toEqual(["a.ts", "lib/twice.ts", "lib/word.ts"]);
    expect(second.job.bundle).toBe(first.job.bundle);
    expect(second.job.sourceHash).toBe(first.job.sourceHash);
    expect(first.job.bundle).not.toContain(place.root);
    expect(JSON.parse(first.job.sourceMap)).toMatchObject({
      sources: expect.arrayContaining(["a.ts", "lib/twice.ts"]),
    });
    expect((await rebuildBundle(first.job.files, "a.ts")).bundleHash).toBe(first.job.bundleHash);
  });

  test("a changed byte of a helper is another source", async () => {
    const source = job("log.info(n)", 'import { n } from "./n.ts";');
    const one = await compileTexts({ "a.ts": source, "n.ts": "export const n = 1;" });
    const two = await compileTexts({ "a.ts": source, "n.ts": "export const n = 1; " });
    expect(
      one.ok && two.ok && one.job.sourceHash !== two.job.sourceHash && one.job.bundleHash === two.job.bundleHash,
    ).toBe(true);
  });

  test("may import installed packages in plain JavaScript, which are listed and typed", async () => {
    await using place = await openFolder({
      "node_modules/left/package.json":
        '{ "name": "left", "version": "1.2.3", "main": "left.js", "types": "left.d.ts" }',
      "node_modules/left/left.js": "module.exports = { left: (x) => require('./inner').pad + x };",
      "node_modules/left/inner.js": "exports.pad = ' ';",
      "node_modules/left/left.d.ts": "export function left(x: string): string;",
    });
    const good = await compileTexts({ "a.ts": job("log.info(left('x'))", 'import { left } from "left";') }, place.root);
    if (!good.ok) throw new Error(JSON.stringify(good.diagnostics));
    expect(good.job.packages).toEqual([{ name: "left", version: "1.2.3", bytes: expect.any(Number) }]);
    expect([...good.job.files.keys()]).toContain("node_modules/left/package.json");
    expect((await rebuildBundle(good.job.files, "a.ts")).bundleHash).toBe(good.job.bundleHash);
    const bad = await findings({ "a.ts": job("log.info(left(1))", 'import { left } from "left";') }, place.root);
    expect(bad).toMatchObject([
      { file: "a.ts", line: 4, message: expect.stringContaining("TS2345"), severity: "error" },
    ]);
  });
});

describe("what is refused, with a place and a hint", () => {
  test.each<[string, string, RegExp, RegExp]>([
    ["a module of Node", 'import fs from "node:fs"; fs;', /"node:fs" is a module of Node/, /kv/],
    ["a module of Node without its scheme", 'import http from "http"; http;', /"http" is a module of Node/, /fetch/],
    [
      "a package that is not installed",
      'import x from "left-pad"; x;',
      /package "left-pad" is not installed/,
      /--ignore-scripts left-pad/,
    ],
    ["zod from elsewhere", 'import { z } from "zod"; z;', /"zod" is not installed/, /from "jobrunner"/],
    ["a path out of the folder", 'import x from "../../etc/x.ts"; x;', /there is no file|out of the jobs folder/, /./],
    ["an absolute path", 'import x from "/etc/hostname"; x;', /absolute path/, /relative/],
    ["a data: address", 'import x from "data:text/javascript,export default 1"; x;', /data: address/, /beside the job/],
    ["an http: address", 'import x from "https://example.org/x.js"; x;', /https: address/, /beside the job/],
    ["a reference comment", '/// <reference path="/etc/x.d.ts" />', /reference comments/, /import type/],
    [
      "a type from outside",
      'type X = typeof import("/etc/x.json"); let x: X | 0 = 0; void x;',
      /absolute path/,
      /relative/,
    ],
    ["native code", 'import x from "./x.node"; x;', /native code/, /JavaScript alone/],
    ["a file that is not there", 'import x from "./x.ts"; x;', /no file ".\/x.ts"/, /ending/],
  ])("%s", async (_, imports, message, hint) => {
    const found = await findings({ "a.ts": job("", imports) });
    expect(found[0]).toMatchObject({
      file: "a.ts",
      line: 1,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
      severity: "error",
    });
  });

  test.each<[string, string, RegExp]>([
    [
      "import() of an expression",
      "const x = `./${Math.random()}.ts`; await import(x)",
      /import\(\) needs a fixed string/,
    ],
    ["require", 'const x = require("./x.ts"); log.info(x)', /require does not exist/],
    ["eval", 'eval("1")', /eval does not exist/],
    ["indirect eval", '(0, globalThis.eval, eval)("1"); eval ("2")', /eval does not exist/],
    ["new Function", 'new Function("return 1")()', /Function does not exist/],
    ["a constructor's constructor", '[].constructor.constructor("return 1")()', /constructor does not exist/],
    ["a name of Node", "log.info(process.env.HOME)", /Cannot find name 'process'/],
    ["a wrong type", 'const n: number = "x"; log.info(n)', /TS2322/],
    ["broken TypeScript", "const = ;", /Expected identifier/],
  ])("%s", async (_, body, message) => {
    const found = await findings({ "a.ts": job(body) });
    expect(found.map((each) => `${each.file}:${each.line} ${each.message}`)).toContainEqual(
      expect.stringMatching(message),
    );
    expect(found.some(({ severity, file }) => severity === "error" && file === "a.ts")).toBe(true);
  });

  test("the word eval in text and comments is no finding", async () => {
    expect(
      await findings({ "a.ts": job("// eval(1)\nlog.info('eval(1)', `eval(2) ${1 + 1} new Function(3)`)") }),
    ).toEqual([]);
  });

  test("characters that do not show are warnings that name line and code point", async () => {
    const found = await findings({
      "a.ts": job('log.info("a\u202eb"); const x\u200b = 1; void x\u200b;'.replaceAll("x\u200b", "x")),
    });
    expect(found).toEqual([
      {
        file: "a.ts",
        line: 4,
        column: expect.any(Number),
        message: expect.stringContaining("U+202E"),
        hint: expect.stringContaining("\\u{202e}"),
        severity: "warning",
      },
    ]);
  });

  test("links out of the folder, for the entry, a helper and a package", async () => {
    await using outside = await openFolder({
      "secret.ts": "export const secret = 1;",
      "index.js": "module.exports = 1;",
    });
    await using place = await openFolder({
      "a.ts": job("log.info(secret)", 'import { secret } from "./link.ts";'),
      "b.ts": job("log.info(up)", 'import up from "up";'),
    });
    await symlink(join(outside.root, "secret.ts"), join(place.root, "link.ts"));
    await symlink(join(outside.root, "secret.ts"), join(place.root, "c.ts"));
    await mkdir(join(place.root, "node_modules"));
    await symlink(outside.root, join(place.root, "node_modules", "up"));
    for (const entry of ["a.ts", "b.ts", "c.ts"]) {
      const result = await compileJob({ folder: place.root, entry });
      expect(result.ok ? [] : result.diagnostics[0]).toMatchObject({
        message: expect.stringContaining("symbolic link"),
      });
    }
  });

  test("a path that leads out of the folder to a file that is there", async () => {
    await using place = await openFolder({
      "jobs/a.ts": job("log.info(x)", 'import { x } from "../x.ts";'),
      "x.ts": "export const x = 1;",
    });
    const result = await compileJob({ folder: join(place.root, "jobs"), entry: "a.ts" });
    expect(result.ok ? [] : result.diagnostics[0]).toMatchObject({
      message: expect.stringContaining("out of the jobs folder"),
    });
  });

  test.each<[string, string]>([
    ["main", '"main": "../../../secret.js"'],
    ["exports", '"exports": "./../../../secret.js"'],
    ["exports with a pattern", '"exports": { ".": { "default": "./lib/../../../../secret.js" } }'],
    ["imports", '"main": "i.js", "imports": { "#x": "../../../secret.js" }'],
    ["browser", '"main": "i.js", "browser": { "./i.js": "../../../secret.js" }'],
  ])("a package whose %s leads out of its folder", async (_, field) => {
    await using place = await openFolder({
      "secret.js": 'module.exports = "of somebody else";',
      "jobs/node_modules/up/package.json": `{ "name": "up", "version": "1.0.0", ${field} }`,
      "jobs/node_modules/up/i.js": 'module.exports = require("#x");',
    });
    const result = await compileTexts(
      { "a.ts": job("log.info(up)", 'import up from "up";') },
      join(place.root, "jobs"),
    );
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toContain("of somebody else");
  });

  test("install scripts of a package are never run, and the package is bundled all the same", async () => {
    await using place = await openFolder({
      "node_modules/left/package.json":
        '{ "name": "left", "version": "1.0.0", "main": "i.js", "types": "i.d.ts", "scripts": { "preinstall": "touch was-run", "postinstall": "touch was-run", "prepare": "touch was-run" } }',
      "node_modules/left/i.js": "exports.left = 1;",
      "node_modules/left/i.d.ts": "export const left: number;",
    });
    const result = await compileTexts({ "a.ts": job("log.info(left)", 'import { left } from "left";') }, place.root);
    expect(result).toMatchObject({ ok: true });
    expect((await readdir(place.root, { recursive: true })).filter((path) => path.includes("was-run"))).toEqual([]);
  });

  test("native packages", async () => {
    await using place = await openFolder({
      "node_modules/fast/package.json": '{ "name": "fast", "version": "1.0.0", "main": "i.js", "gypfile": true }',
      "node_modules/fast/i.js": "module.exports = 1;",
    });
    expect((await findings({ "a.ts": job("log.info(f)", 'import f from "fast";') }, place.root))[0]?.message).toContain(
      "native code",
    );
  });

  test("a source file of 5 MB, at once", async () => {
    await using place = await openFolder({ "a.ts": `// ${"x".repeat(5_000_000)}` });
    const result = await compileJob({ folder: place.root, entry: "a.ts" });
    expect(result.ok ? [] : result.diagnostics[0]).toMatchObject({
      file: "a.ts",
      message: expect.stringContaining("4.8 MB; a source file may have at most 1.0 MB"),
    });
  });
});
