import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { effectContext, prepareEffect } from "../../tests/support/effects.ts";

let root: string;
const at = (...parts: string[]) => join(root, ...parts);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "jobrunner-race-"));
  for (const folder of ["notes", "notes/deep", "outside", "home"]) mkdirSync(at(folder));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test.each([
  ["read", { path: "notes/deep/sub/secret.txt" }],
  ["stat", { path: "notes/deep/sub/secret.txt" }],
  ["write", { path: "notes/deep/sub/mine", data: "", mode: "replace" }],
  ["write", { path: "notes/deep/sub/mine", data: "", mode: "append" }],
  ["write", { path: "notes/deep/sub/mine", data: "", mode: "create" }],
  ["delete", { path: "notes/deep/sub/secret.txt" }],
])(
  "files.%s of a path whose folder is swapped for a link between check and open is refused: %j",
  async (op, { path, ...rest }) => {
    for (const folder of ["notes/deep/sub", "outside/sub"]) {
      mkdirSync(at(folder));
      writeFileSync(at(folder, "secret.txt"), folder);
    }
    const files = { read: [], write: [at("notes")] };
    const context = effectContext({
      permissions: { files },
      homeFolder: at("home"),
    });
    let asked = 0;
    Object.defineProperty(context.services, "homeFolder", {
      // Asked once for its real path, then by the check of the path; whatever is opened is opened after that.
      get() {
        if (++asked === 2) {
          renameSync(at("notes/deep"), at("kept"));
          symlinkSync(at("outside"), at("notes/deep"));
        }
        return at("home");
      },
    });
    const prepared = prepareEffect(`files.${op}`, { path: at(path), ...rest }, context.manifest);
    await expect(prepared.perform(context)).rejects.toMatchObject({
      code: "file_unsafe",
    });
    expect(asked).toBeGreaterThan(2);
    expect(readdirSync(at("outside/sub"))).toEqual(["secret.txt"]);
    expect(readFileSync(at("outside/sub/secret.txt"), "utf8")).toBe("outside/sub");
  },
);
