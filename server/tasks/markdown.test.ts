import fc from "fast-check";
import { expect, test } from "vitest";
import { testStore } from "../../tests/support/store.ts";
import { exportTasks } from "./export-tasks.ts";
import { importTasks } from "./import-tasks.ts";
import { readMarkdown, writeMarkdown } from "./markdown.ts";
import type { FileTask } from "./task-file.ts";

const by = { actor: "person", traceId: null };
const title = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    fc.constantFrom("x {#T1}", "[ ] y", "- [x] z", '{#a b="c"}', "**Result:**"),
  )
  .map((text) => `t${text.replace(/\s+/gu, " ")}`.trim());
const text = fc
  .array(
    fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom("- [ ] no task", "> quoted", "**Result:**", "", "  deep", "# Heading"),
    ),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((lines) => lines.join("\n"))
  .filter((written) => written.trim() !== "" && !/[\r]/.test(written));
const label = fc
  .stringMatching(/^[a-z0-9 é=}#.:-]{1,12}$/)
  .map((each) => each.trim())
  .filter((each) => each !== "");

/** Trees in the order in which they are written: parents right before their parts. */
const trees = fc
  .array(
    fc.record({
      title,
      state: fc.constantFrom("open", "in_progress", "done", "failed", "cancelled", "skipped"),
      body: fc.option(text),
      result: fc.option(text),
      urgency: fc.constantFrom("low", "normal", "high", "now"),
      priority: fc.integer({ min: -100, max: 100 }),
      complexity: fc.constantFrom("low", "medium", "high"),
      labels: fc.uniqueArray(label, { maxLength: 3 }),
      due: fc.option(fc.constantFrom("2026-12-01", "2027-01-01T08:00Z")),
      assignee: fc.option(fc.string({ minLength: 1, maxLength: 20 })),
      person: fc.boolean(),
      deeper: fc.integer({ min: 0, max: 3 }),
      needs: fc.array(fc.nat({ max: 30 }), { maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((given): FileTask[] => {
    const path: string[] = [];
    return given.map(({ deeper, needs, ...task }, index) => {
      path.length = Math.min(path.length, deeper);
      const parent = path.at(-1) ?? null;
      const key = `T${index + 1}`;
      path.push(key);
      return { ...task, key, parent, needs: [...new Set(needs.map((n) => `T${n + 1}`))], notes: [] };
    });
  });

test("whatever is written is read back as it was", () => {
  fc.assert(
    fc.property(trees, (tasks) => {
      expect(readMarkdown(writeMarkdown(tasks))).toEqual(tasks);
    }),
    { numRuns: 100 },
  );
});

const byHand = `# Release 2.0

Some words.

* [ ] Write the notes
  They go to the site.

  - a plain item is text, too
    * [x] Collect the changes
\t1. [-] Ask Bob
- [ ] Ship it {#ship urgency=high needs=notes,line-5 due=2026-12-01 labels="now, later"}

Elsewhere:
  - [X] Old
`;

test("a list that people wrote is read", () => {
  const tasks = readMarkdown(byHand);
  expect(tasks.map(({ key, title, state, parent }) => [key, title, state, parent])).toEqual([
    ["line-5", "Write the notes", "open", null],
    ["line-9", "Collect the changes", "done", "line-5"],
    ["line-10", "Ask Bob", "cancelled", "line-5"],
    ["ship", "Ship it", "open", null],
    ["line-14", "Old", "done", null],
  ]);
  expect(tasks[0]?.body).toBe("They go to the site.\n\n- a plain item is text, too");
  expect(tasks[3]).toMatchObject({
    urgency: "high",
    needs: ["notes", "line-5"],
    labels: ["now", "later"],
    due: "2026-12-01",
  });
});

test.each([
  ["- [?] what", "Line 1: state"],
  ["- [ ] a {#a urgency=soon}", "Line 1: urgency"],
  ["text\n- [ ]  {#a}", "Line 2: title"],
  ["- [ ] a {#a what=1}", "Line 1: "],
])("%j is refused with its line", (markdown, message) => {
  expect(() => readMarkdown(markdown)).toThrow(message);
});

test.each(["markdown", "json"] as const)("what one home exports as %s another imports, once", async (format) => {
  await using from = await testStore();
  await using to = await testStore();
  const request = { again: false, dryRun: false, by };
  await importTasks(from.db, { ...request, format: "markdown", text: byHand.replace("notes,", "") });
  const { text, count } = await exportTasks(from.db, { format, filter: {} });
  expect(count).toBe(5);
  expect(await importTasks(to.db, { ...request, format, text, dryRun: true })).toMatchObject({ count: 5, created: [] });
  expect(await importTasks(to.db, { ...request, format, text })).toEqual({
    count: 5,
    created: ["T1", "T2", "T3", "T4", "T5"],
    outside: 0,
  });
  expect((await exportTasks(to.db, { format, filter: {} })).text).toBe(text);
  expect(await importTasks(to.db, { ...request, format, text })).toMatchObject({ created: [] });
  expect(await importTasks(to.db, { ...request, format, text, again: true })).toMatchObject({ created: { length: 5 } });
});
