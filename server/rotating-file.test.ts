import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRotatingFile } from "./rotating-file.ts";

test("past its size a log becomes .1, the one before .2, and older ones go", () => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-log-"));
  const path = join(folder, "daemon.log");
  {
    using file = openRotatingFile({ path, maxBytes: 20, files: 2 });
    for (const line of ["first line", "second line", "third line", "fourth line"]) file.write(`${line}\n`);
    expect(file.lost()).toBe(0);
  }
  expect(readdirSync(folder).sort()).toEqual(["daemon.log", "daemon.log.1", "daemon.log.2"]);
  expect(readFileSync(path, "utf8")).toBe("fourth line\n");
  expect(readFileSync(`${path}.1`, "utf8")).toBe("third line\n");
  expect(readFileSync(`${path}.2`, "utf8")).toBe("second line\n");
  rmSync(folder, { recursive: true });
});

test("a log that cannot be written stops nobody: lines are counted as lost", () => {
  const folder = mkdtempSync(join(tmpdir(), "jobrunner-log-"));
  using file = openRotatingFile({ path: folder, maxBytes: 20, files: 2 });
  file.write("one\n");
  file.write("two\n");
  expect(file.lost()).toBe(2);
  rmSync(folder, { recursive: true });
});
