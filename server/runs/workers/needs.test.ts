import { expect, test } from "vitest";
import { testManifest, testPermissions } from "../../../tests/support/runs.ts";
import { type Means, needText, parseUnserved, unmetLabels, unmetNeeds } from "./needs.ts";

const nothing: Means = {
  labels: new Set(),
  hasSecret: () => false,
  hasTarget: () => false,
  hasModel: async () => false,
  hasPath: async () => false,
  hasProgram: async () => false,
};
const everything: Means = {
  labels: new Set(["gpu", "linux"]),
  hasSecret: () => true,
  hasTarget: () => true,
  hasModel: async () => true,
  hasPath: async () => true,
  hasProgram: async () => true,
};
const manifest = testManifest({
  runsOn: ["gpu"],
  permissions: testPermissions({
    secrets: { TOKEN: ["api.example.org"] },
    notify: ["phone"],
    llm: ["qwen3:4b"],
    files: { read: ["/srv/in"], write: ["/srv/out"] },
    exec: [{ command: "/usr/bin/git", args: [], cwd: null, env: {}, repeatable: false }],
  }),
});

test("whatever the manifest names and the machine lacks is a need of its own", async () => {
  expect((await unmetNeeds(manifest, nothing)).map((need) => needText(need))).toEqual([
    "has no label gpu",
    "has no secret TOKEN",
    "has no notify target phone",
    "has no model qwen3:4b",
    "has no /srv/in",
    "has no /srv/out",
    "has no /usr/bin/git",
  ]);
  expect(await unmetNeeds(manifest, everything)).toEqual([]);
  expect(await unmetNeeds(testManifest(), nothing)).toEqual([]);
});

test("a path to read and to write is lacking once, and asked for as it is used", async () => {
  const both = testManifest({ permissions: testPermissions({ files: { read: ["/a"], write: ["/a"] } }) });
  expect(await unmetNeeds(both, nothing)).toEqual([{ kind: "path", name: "/a" }]);
  const writableOnly: Means = { ...nothing, hasPath: async (_path, access) => access === "write" };
  expect(await unmetNeeds(both, writableOnly)).toEqual([{ kind: "path", name: "/a" }]);
});

test("every label must be there", () => {
  const two = testManifest({ runsOn: ["gpu", "office"] });
  expect(unmetLabels(two, everything)).toEqual([{ kind: "label", name: "office" }]);
});

test("what another release wrote of needs is read as far as it makes sense", () => {
  expect(parseUnserved('{"a":[{"kind":"moon phase","name":"full"}]}')).toEqual({
    a: [{ kind: "moon phase", name: "full" }],
  });
  expect(needText({ kind: "moon phase", name: "full" })).toBe("has no moon phase full");
  expect(parseUnserved('{"a":"x"}')).toEqual({});
  expect(parseUnserved("[]")).toEqual({});
});
