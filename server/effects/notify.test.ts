import { expect, test } from "vitest";
import { type EffectSetup, performEffect, prepareEffect, testServer } from "../../tests/support/effects.ts";
import { testManifest, testPermissions } from "../../tests/support/runs.ts";
import { createNotifier } from "../notify/create-notifier.ts";

const message = { target: null, title: null, text: "it works", urgency: "normal" };

test("a message goes to the target with the job's name as title and the key of this effect", async () => {
  await using server = await testServer((_, response) => response.end());
  const notify = createNotifier({
    default: "hook",
    targets: { hook: { kind: "webhook", url: `${server.origin}/a?b=c` } },
  });
  const setup: EffectSetup = { permissions: { notify: ["hook"] }, services: { notify } };
  expect(await performEffect("notify", message, setup)).toEqual({ target: "hook" });
  expect(await performEffect("notify", message, { ...setup, permissions: { notify: ["default"] } })).toEqual({
    target: "default",
  });
  await performEffect("notify", { ...message, target: "hook", title: "nas", urgency: "high" }, setup);
  expect(server.received[0]).toMatchObject({ method: "POST", url: "/a?b=c", headers: { "idempotency-key": "7-2-3" } });
  expect(server.received.map(({ body }) => JSON.parse(body))).toEqual([
    { title: "test", text: "it works", urgency: "normal" },
    { title: "test", text: "it works", urgency: "normal" },
    { title: "nas", text: "it works", urgency: "high" },
  ]);
});

test.each([
  ["none is granted", [], null, 'permissions.notify: ["default"]'],
  ["another is granted", ["desktop"], "phone", 'permissions.notify: ["phone"]'],
  ["several are, and none is named", ["desktop", "phone"], null, "say which: desktop, phone"],
  ["the default is not among several", ["desktop", "phone"], "default", 'permissions.notify: ["default"]'],
])("it is refused where %s", (_, granted, target, text) => {
  const manifest = testManifest({ permissions: testPermissions({ notify: granted }) });
  const prepare = () => prepareEffect("notify", { ...message, target }, manifest);
  expect(prepare).toThrow(expect.objectContaining({ code: "permission_denied" }));
  expect(prepare).toThrow(text);
});

test("it is never repeated by itself, and a text beyond the limit is not sent", async () => {
  const permissions = { notify: ["desktop"] };
  const manifest = testManifest({ permissions: testPermissions(permissions) });
  expect(prepareEffect("notify", message, manifest).safe).toBe(false);
  const failure = performEffect("notify", message, { permissions, limits: { requestBytes: 3 } });
  await expect(failure).rejects.toMatchObject({ code: "limit_exceeded" });
});
