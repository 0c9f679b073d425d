import { expect, test } from "vitest";
import { testPool } from "../../tests/support/sandbox-run.ts";
import { canCutNetwork } from "./runner-command.ts";
import { findWalls, type ProcessFacts, wallsOf } from "./walls.ts";

const whole: ProcessFacts = {
  environ: "TZ=UTC\0LC_ALL=en_US.UTF-8\0",
  cmdline: "node\0--permission\0--allow-addons\0child.js\0",
  status: "Name:\tnode\nNoNewPrivs:\t1\n",
  limits:
    "Limit                     Soft Limit           Hard Limit           Units     \n" +
    "Max file size             0                    0                    bytes     \n" +
    "Max data size             2147483648           2147483648           bytes     \n" +
    "Max core file size        0                    0                    bytes     \n",
  network: "net:[2]",
  ownNetwork: "net:[1]",
};
const missing = (facts: ProcessFacts) => wallsOf(facts).flatMap(({ name, stands }) => (stands ? [] : name));

test("a process behind all walls shows each of them", () => {
  expect(missing(whole)).toEqual([]);
});

test.each<[string, Partial<ProcessFacts>]>([
  ["empty environment", { environ: "TZ=UTC\0DATABASE_URL=postgres://db.example.org\0" }],
  ["Node permissions", { cmdline: "node\0child.js\0" }],
  ["no new privileges", { status: "Name:\tnode\nNoNewPrivs:\t0\n" }],
  ["no network", { network: "net:[1]" }],
  ["limits", { limits: whole.limits?.replace("2147483648           2147483648", "unlimited            unlimited ") }],
])("a missing wall is told: %s", (name, facts) => {
  expect(missing({ ...whole, ...facts })).toEqual([expect.stringContaining(name)]);
});

test("what cannot be seen does not count as standing", () => {
  const nothing = Object.fromEntries(Object.keys(whole).map((key) => [key, undefined]));
  expect(missing({ ...whole, ...nothing })).toHaveLength(6);
});

test.runIf(process.platform === "linux")("this machine's walls stand around a real runner", async () => {
  await using pool = await testPool({ max: 1, warm: 0 });
  const walls = await findWalls(pool);
  const wanted = (await canCutNetwork()) ? [] : [expect.stringContaining("no network")];
  expect(walls.flatMap(({ name, stands }) => (stands ? [] : name))).toEqual(wanted);
});
