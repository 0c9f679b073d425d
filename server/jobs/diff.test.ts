import { expect, test } from "vitest";
import { unifiedDiff } from "./diff.ts";

const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join("");

test("shows what changed with three lines around it, in two parts where it is far apart", () => {
  const before = new Map([["a.ts", lines(1, 30)]]);
  const after = new Map([["a.ts", lines(1, 30).replace("line 5\n", "line five\n").replace("line 25\n", "")]]);
  expect(unifiedDiff(before, after)).toBe(
    `--- a/a.ts
+++ b/a.ts
@@ -2,7 +2,7 @@
 line 2
 line 3
 line 4
-line 5
+line five
 line 6
 line 7
 line 8
@@ -22,7 +22,6 @@
 line 22
 line 23
 line 24
-line 25
 line 26
 line 27
 line 28
`,
  );
});

test("added and removed files, and a missing end of the last line", () => {
  const diff = unifiedDiff(
    new Map([
      ["gone.ts", "x\n"],
      ["same.ts", "s"],
    ]),
    new Map([
      ["new.ts", "y"],
      ["same.ts", "s"],
    ]),
  );
  expect(diff).toBe(
    "--- a/gone.ts\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n--- /dev/null\n+++ b/new.ts\n@@ -0,0 +1 @@\n+y\n\\ No newline at end of file\n",
  );
  expect(unifiedDiff(new Map([["a", "x"]]), new Map([["a", "x"]]))).toBe("");
});
