import { expect, test } from "vitest";
import { performEffect } from "../../tests/support/effects.ts";
import { addJob } from "../../tests/support/runs.ts";
import { storeKinds, testStore } from "../../tests/support/store.ts";

test.each(storeKinds)("kv keeps, compares, lists and deletes (%s)", async (kind) => {
  await using store = await testStore(kind);
  await addJob(store.db, "test");
  const kv = (op: string, args: object) => performEffect(`kv.${op}`, args, { db: store.db });
  const value = { text: "\u0000\ud800", list: [1, null], ...JSON.parse('{"constructor":1}') };
  expect(await kv("get", { key: "a" })).toBeNull();
  expect(await kv("set", { key: "a", value, ifRevision: null })).toEqual({ revision: 1 });
  expect(await kv("get", { key: "a" })).toEqual({ value, revision: 1 });
  await expect(kv("set", { key: "a", value: 1, ifRevision: null })).rejects.toMatchObject({
    code: "revision_conflict",
  });
  await expect(kv("set", { key: "a", value: 1, ifRevision: 2 })).rejects.toThrow("revision 1");
  await expect(kv("set", { key: "none", value: 1, ifRevision: 2 })).rejects.toThrow("there is no value");
  expect(await kv("set", { key: "a", value: 1, ifRevision: 1 })).toEqual({ revision: 2 });
  expect(await kv("set", { key: "a", value: 2 })).toEqual({ revision: 3 });
  const prototypes = '{"a":{"__proto__":{"b":1}},"__proto__":2}';
  await kv("set", { key: "b", value: JSON.parse(prototypes) });
  expect(JSON.stringify(await kv("get", { key: "b" }))).toBe(`{"value":${prototypes},"revision":1}`);
  for (const key of ["B", "b", "ä", "p%1", "pX1"]) await kv("set", { key, value: 1 });
  expect(await kv("list", {})).toEqual({ keys: ["B", "a", "b", "p%1", "pX1", "ä"], cursor: null });
  expect(await kv("list", { limit: 2 })).toEqual({ keys: ["B", "a"], cursor: "a" });
  expect(await kv("list", { limit: 2, cursor: "pX1" })).toEqual({ keys: ["ä"], cursor: null });
  expect(await kv("list", { prefix: "p%" })).toEqual({ keys: ["p%1"], cursor: null });
  expect(await kv("delete", { key: "a" })).toEqual({ deleted: true });
  expect(await kv("delete", { key: "a" })).toEqual({ deleted: false });
  await expect(kv("set", { key: "a" })).rejects.toThrow("value is needed");
  await expect(kv("set", { key: "a", value: "x".repeat(256 * 1024) })).rejects.toMatchObject({
    code: "limit_exceeded",
  });
  for (const key of ["", "x".repeat(513), "\0", "\ud800"]) await expect(kv("set", { key, value: 1 })).rejects.toThrow();
});
