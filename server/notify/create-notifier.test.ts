import { expect, test } from "vitest";
import { testServer } from "../../tests/support/effects.ts";
import type { NotifyTarget } from "../config-schema.ts";
import type { NotifyMessage } from "../effects/services.ts";
import { createNotifier } from "./create-notifier.ts";

const message: NotifyMessage = { target: "x", title: "Title", text: "Text", urgency: "normal" };
const forever = new AbortController().signal;

function send(target: NotifyTarget, more: Partial<NotifyMessage> = {}, signal = forever): Promise<void> {
  const notify = createNotifier({ default: "x", targets: { x: target, other: { kind: "desktop" } } });
  return notify({ ...message, ...more }, { idempotencyKey: "7-1-2", signal });
}

/** What a server got of one message. */
async function received(kind: "webhook" | "slack" | "discord" | "ntfy", more: Partial<NotifyMessage> = {}) {
  await using server = await testServer((_, response) => response.writeHead(204).end());
  await send({ kind, url: `${server.origin}/T0/B0` }, more);
  const [request, ...others] = server.received;
  expect(others).toEqual([]);
  if (request === undefined) throw new Error("nothing came");
  expect(request).toMatchObject({ method: "POST", url: "/T0/B0", headers: { "idempotency-key": "7-1-2" } });
  return request;
}

test("each service gets its own form", async () => {
  expect(JSON.parse((await received("webhook")).body)).toEqual({ title: "Title", text: "Text", urgency: "normal" });
  const slack = await received("slack", { title: "a & b", text: "<!channel> 1 > 0" });
  expect(JSON.parse(slack.body)).toEqual({ text: "*a &amp; b*\n&lt;!channel&gt; 1 &gt; 0" });
  const discord = await received("discord", { text: "@everyone" });
  expect(JSON.parse(discord.body)).toEqual({
    content: "**Title**\n@everyone",
    allowed_mentions: { parse: [] },
  });
  const ntfy = await received("ntfy", { urgency: "high", title: "Über\r\nX-A: 1", text: "ü" });
  expect(ntfy).toMatchObject({ body: "ü", headers: { priority: "4" } });
  expect(ntfy.headers.title).toBe(`=?UTF-8?B?${Buffer.from("Über\r\nX-A: 1").toString("base64")}?=`);
  expect((await received("ntfy", { urgency: "low" })).headers).toMatchObject({ title: "Title", priority: "2" });
});

test("a long text is cut to what its service takes, whole characters only", async () => {
  const text = "ä&😀".repeat(20_000);
  const slack = JSON.parse((await received("slack", { text })).body).text;
  expect(slack.length).toBeLessThanOrEqual(40_000);
  expect(slack.length).toBeGreaterThan(39_980);
  expect(slack).toMatch(/(ä|&amp;|😀)…$/);
  const discord = JSON.parse((await received("discord", { text, title: "t".repeat(1_000) })).body).content;
  expect(discord.length).toBeLessThanOrEqual(2_000);
  expect(discord.isWellFormed()).toBe(true);
  const { body } = await received("ntfy", { text });
  expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4_096);
  expect(body).not.toContain("\ufffd");
  expect(JSON.parse((await received("webhook", { text })).body).text).toBe(text);
});

test("user name and password of a url travel as a header", async () => {
  await using server = await testServer((_, response) => response.end());
  await send({ kind: "ntfy", url: `${server.origin.replace("//", "//me:p%40ss@")}/topic` });
  const authorization = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
  expect(server.received[0]).toMatchObject({ url: "/topic", headers: { authorization } });
});

test.each([
  [302, "out of date"],
  [404, "no longer valid"],
  [429, "too many messages"],
  [500, "it answered 500"],
])("an answer of %i is no delivery, and nothing shows the address", async (status, text) => {
  await using server = await testServer((_, response) => response.writeHead(status, { location: "/elsewhere" }).end());
  const error = await send({ kind: "slack", url: `${server.origin}/services/hidden` }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: "notify_failed", message: expect.stringContaining(text) });
  expect(error).not.toHaveProperty("cause");
  expect(`${error}${JSON.stringify(error)}`).not.toMatch(/hidden|127\.0\.0\.1/);
  expect(server.received).toHaveLength(1);
});

test("a server that is not there is no delivery", async () => {
  const { origin } = await testServer(() => {}).then(async (server) => {
    await server[Symbol.asyncDispose]();
    return server;
  });
  await expect(send({ kind: "webhook", url: origin })).rejects.toMatchObject({
    code: "notify_failed",
    message: 'The message to "x" was not delivered: ECONNREFUSED.',
  });
});

test("the signal ends a delivery with its reason", async () => {
  const control = new AbortController();
  await using server = await testServer(() => control.abort(new Error("ended")));
  await expect(send({ kind: "webhook", url: server.origin }, {}, control.signal)).rejects.toThrow("ended");
  await expect(send({ kind: "webhook", url: server.origin }, {}, control.signal)).rejects.toThrow("ended");
  expect(server.received).toHaveLength(1);
});

test("a target that is not there is told with those that are", async () => {
  for (const target of ["y", "toString", "__proto__"]) {
    await expect(send({ kind: "desktop" }, { target })).rejects.toMatchObject({
      code: "target_not_found",
      message: expect.stringContaining("x, other"),
    });
  }
});

test('"default" is the default of the settings, unless a target has that name', async () => {
  await using server = await testServer((_, response) => response.end());
  const at = (path: string): NotifyTarget => ({ kind: "webhook", url: server.origin + path });
  const options = { idempotencyKey: "1", signal: forever };
  const to = { ...message, target: "default" };
  await createNotifier({ default: "a", targets: { a: at("/a") } })(to, options);
  await createNotifier({ default: "a", targets: { a: at("/a"), default: at("/default") } })(to, options);
  expect(server.received.map(({ url }) => url)).toEqual(["/a", "/default"]);
});
