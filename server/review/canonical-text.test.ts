import fc from "fast-check";
import { expect, test } from "vitest";
import { buildDecisionText, type Decision, genesis, parseDecisionText } from "./canonical-text.ts";

const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => `sha256:${Buffer.from(bytes).toString("hex")}`);
const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString("base64"));
const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/);

const decision: fc.Arbitrary<Decision> = fc.record({
  kind: fc.constantFrom("job" as const, "skill" as const),
  name,
  version: fc.integer({ min: 1, max: 1e9 }),
  source: hash,
  bundle: hash,
  manifest: hash,
  compiler: name,
  runtime: name,
  decision: fc.constantFrom("approve" as const, "activate" as const, "revoke" as const, "resume" as const),
  subject: fc.constant(null),
  note: fc.option(fc.string({ unit: "binary", maxLength: 300 }), { nil: null }),
  time: fc
    .date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true })
    .map((date) => date.toISOString()),
  previous: hash,
  key,
});

test("what was built is read back as it was, whatever the note holds", () => {
  fc.assert(
    fc.property(decision, (one) => {
      expect(parseDecisionText(buildDecisionText(one))).toEqual(one);
    }),
  );
});

test("no other spelling of a decision is read", () => {
  const change = fc.tuple(fc.nat(), fc.constantFrom(" ", "\n", "-", "0", "\r", "é"));
  fc.assert(
    fc.property(decision, change, (one, [at, inserted]) => {
      const text = buildDecisionText(one);
      const place = at % (text.length + 1);
      const edited = text.slice(0, place) + inserted + text.slice(place);
      let read: Decision;
      try {
        read = parseDecisionText(edited);
      } catch {
        return;
      }
      // Some edits make another valid decision, such as a longer name; it must then be that one, exactly.
      expect(buildDecisionText(read)).toBe(edited);
      expect(read).not.toEqual(one);
    }),
  );
});

const plain: Decision = {
  kind: "job",
  name: "watch",
  version: 3,
  source: genesis,
  bundle: genesis,
  manifest: genesis,
  compiler: "esbuild 1",
  runtime: "1",
  decision: "approve",
  subject: null,
  note: "a\u202eb",
  time: "2026-11-20T12:00:00.000Z",
  previous: genesis,
  key: `${"A".repeat(43)}=`,
};

test("the text is the one that the documentation shows", () => {
  expect(buildDecisionText(plain).split("\n").slice(0, 4)).toEqual([
    "jobrunner-decision 1",
    "kind: job",
    "name: watch",
    "version: 3",
  ]);
  expect(buildDecisionText(plain)).toContain('\nnote: "a\\u202eb"\n');
});

test.each<[string, (text: string) => string]>([
  ["another header", (text) => text.replace("decision 1", "decision 2")],
  ["a field twice", (text) => text.replace("name: watch\n", "name: watch\nname: watch\n")],
  ["a missing field", (text) => text.replace("subject: -\n", "")],
  ["fields in another order", (text) => text.replace("kind: job\nname: watch", "name: watch\nkind: job")],
  ["a version with a leading zero", (text) => text.replace("version: 3", "version: 03")],
  ["no newline at the end", (text) => text.slice(0, -1)],
  ["an approval without a bundle", (text) => text.replace(/bundle: .*/, "bundle: -")],
  ["an unknown decision", (text) => text.replace("approve", "allow")],
  ["a note in another escape", (text) => text.replace('"a', '"\\u0061')],
])("%s is refused", (_what, edit) => {
  const text = buildDecisionText(plain);
  expect(edit(text)).not.toBe(text);
  expect(() => parseDecisionText(edit(text))).toThrow(/canonical/);
});
