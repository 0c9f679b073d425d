import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "./home.ts";

let clone: string;
const at = (path: string) => join(clone, path);

beforeAll(() => {
  clone = mkdtempSync(join(tmpdir(), "jobrunner-jr-"));
  for (const folder of ["server", "dist", "dist/server"]) mkdirSync(at(folder));
  copyFileSync(join(packageRoot, "server", "jr.mjs"), at("server/jr.mjs"));
  writeFileSync(at("package.json"), '{ "type": "module" }');
  writeFileSync(at("server/main.ts"), 'console.log("sources" as string);');
  writeFileSync(at("server/other.ts"), "export const one = 1;");
  writeFileSync(at("dist/server/main.js"), 'console.log("built");');
  const look = (path: string) => {
    const { size, mtimeMs } = statSync(at(path));
    return [path, size, mtimeMs];
  };
  const sources = { bridge: [look("server/main.ts")], others: [look("server/other.ts")] };
  writeFileSync(at("dist/sources.json"), JSON.stringify(sources));
});
afterAll(() => rmSync(clone, { recursive: true }));

/** Which program `jr` runs there. */
async function program(...args: string[]): Promise<string> {
  const env = { JOBRUNNER_HOME: at("home") };
  return (await promisify(execFile)(process.execPath, [at("server/jr.mjs"), ...args], { env })).stdout.trim();
}

test("in a clone jr runs what was built of these very sources, and else the sources", async () => {
  expect(await program()).toBe("built");

  expect(await program("mcp")).toBe("built");

  const { atime, mtime } = statSync(at("server/other.ts"));
  writeFileSync(at("server/other.ts"), "export const one = 2;");
  expect(await program()).toBe("sources");
  writeFileSync(at("server/other.ts"), "export const one = 1; // and more");
  utimesSync(at("server/other.ts"), atime, mtime);
  expect(await program()).toBe("sources");
  rmSync(at("server/other.ts"));
  expect(await program()).toBe("sources");
  // What the bridge does not load may differ: the daemon that it starts is looked at by itself.
  expect(await program("mcp")).toBe("built");
  writeFileSync(at("server/main.ts"), 'console.log("new sources" as string);');
  expect(await program("mcp")).toBe("new sources");
  writeFileSync(at("server/main.ts"), 'console.log("sources" as string);');

  rmSync(at("dist/sources.json"));
  expect(await program()).toBe("sources");
});

test("an installed package, which has no sources, runs what was built", async () => {
  rmSync(at("server/main.ts"));
  expect(await program()).toBe("built");
});
