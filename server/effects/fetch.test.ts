import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { z } from "zod";
import { type EffectSetup, performEffect, testServer } from "../../tests/support/effects.ts";
import { sendRequest } from "./send-request.ts";

const answerSchema = z.object({
  status: z.number(),
  url: z.string(),
  redirected: z.boolean(),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.string().transform((text) => Buffer.from(text, "base64").toString()),
});
type Request = { method?: string; headers?: [string, string][]; body?: string; redirect?: string };

async function doFetch(url: string, request: Request, setup: EffectSetup) {
  const { method = "GET", headers = [], body, redirect = "follow" } = request;
  const base64 = body === undefined ? null : Buffer.from(body).toString("base64");
  return answerSchema.parse(await performEffect("fetch", { url, method, headers, body: base64, redirect }, setup));
}

const grant = (port: number) => ({ host: "127.0.0.1", port, private: true });
const key = "k-9/secret+value=ä";
const hook = (port: number) => `http://127.0.0.1:${port}/hooks/T0001/B0002?sig=abc`;

test("a request arrives as it was made and comes back whole", async () => {
  await using server = await testServer((_, response) => response.setHeader("x-a", "1").writeHead(201).end("done"));
  const request = { method: "PATCH", headers: [["x-b", "2"]] satisfies [string, string][], body: "ü" };
  const answer = await doFetch(`${server.origin}/p?q=1#frag`, request, { net: [grant(server.port)] });
  expect(answer).toMatchObject({ status: 201, url: `${server.origin}/p?q=1`, redirected: false, body: "done" });
  expect(answer.headers).toContainEqual(["x-a", "1"]);
  expect(server.received[0]).toMatchObject({
    method: "PATCH",
    url: "/p?q=1",
    body: "ü",
    headers: { "x-b": "2", "idempotency-key": "7-2-3" },
  });
});

test("only methods that are not repeatable carry an idempotency key, and the job's own goes first", async () => {
  await using server = await testServer((_, response) => response.end());
  const setup = { net: [grant(server.port)] };
  for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) await doFetch(server.origin, { method }, setup);
  await doFetch(server.origin, { method: "POST", headers: [["Idempotency-Key", "mine"]] }, setup);
  expect(server.received.map(({ headers }) => headers["idempotency-key"])).toEqual([
    ...Array(5).fill(undefined),
    "mine",
  ]);
});

test.each([
  ["an ungranted host", "http://127.0.0.1:1/", /permissions\.net/],
  ["another scheme", "ftp://127.0.0.1/", /http and https/],
  ["a relative URL", "/x", /absolute URL/],
  ["credentials in the URL", "http://u:p@127.0.0.1/", /authorization header/],
] satisfies [string, string, RegExp][])("%s is refused, and says why", async (_, url, message) => {
  const net = [{ host: "127.0.0.1", port: null, private: true }];
  await expect(doFetch(url, {}, { net })).rejects.toThrow(message);
});

test("a server that is not there is a TypeError, as fetch has it", async () => {
  const { port } = await testServer(() => {}).then(async (server) => {
    await server[Symbol.asyncDispose]();
    return server;
  });
  const failure = doFetch(`http://127.0.0.1:${port}/`, {}, { net: [grant(port)] });
  await expect(failure).rejects.toMatchObject({
    name: "TypeError",
    message: expect.stringContaining("fetch failed: "),
  });
});

test.each([
  ["gzip", gzipSync],
  ["deflate", deflateSync],
  ["deflate", deflateRawSync],
  ["br", brotliCompressSync],
] as const)("%s is decoded, up to the limit on what comes out", async (encoding, compress) => {
  await using server = await testServer(({ url }, response) => {
    response.setHeader("content-encoding", encoding).end(compress(Buffer.alloc(url === "/big" ? 50_000 : 500, "a")));
  });
  const setup = { net: [grant(server.port)], responseBytes: 1_000 };
  expect((await doFetch(`${server.origin}/`, {}, setup)).body).toBe("a".repeat(500));
  await expect(doFetch(`${server.origin}/big`, {}, setup)).rejects.toMatchObject({ code: "limit_exceeded" });
});

test("an endless response is cut at the limit", async () => {
  await using server = await testServer((_, response) => {
    const more = () => {
      while (response.write("x".repeat(1_000)));
      response.once("drain", more);
    };
    more();
  });
  await expect(doFetch(server.origin, {}, { net: [grant(server.port)] })).rejects.toThrow("limits.responseBytes");
});

test("the end of the attempt ends a request that hangs", async () => {
  const end = new AbortController();
  await using server = await testServer(() => end.abort(new Error("over")));
  await expect(doFetch(server.origin, {}, { net: [grant(server.port)], signal: end.signal })).rejects.toThrow("over");
});

test.each([
  [301, "POST", "GET", ""],
  [302, "POST", "GET", ""],
  [303, "PUT", "GET", ""],
  [303, "HEAD", "HEAD", ""],
  [302, "PUT", "PUT", "b"],
  [307, "POST", "POST", "b"],
  [308, "PUT", "PUT", "b"],
] as const)("%d turns %s into %s", async (status, method, then, body) => {
  await using server = await testServer(({ url }, response) => {
    if (url === "/") response.writeHead(status, { location: "/next#x" });
    response.end();
  });
  const answer = await doFetch(
    `${server.origin}/`,
    { method, ...(method === "HEAD" ? {} : { body: "b" }) },
    { net: [grant(server.port)] },
  );
  expect(answer).toMatchObject({ url: `${server.origin}/next`, redirected: true });
  expect(server.received[1]).toMatchObject({ method: then, body });
});

test("a redirect is followed to granted hosts only, ten times at most, and not where the job says so", async () => {
  await using server = await testServer(({ url }, response) => {
    response
      .writeHead(302, {
        location: url === "/out" ? "http://127.0.0.1:1/" : url === "/file" ? "file:///etc/passwd" : "/loop",
      })
      .end();
  });
  const setup = { net: [grant(server.port)] };
  await expect(doFetch(`${server.origin}/out`, {}, setup)).rejects.toMatchObject({ code: "permission_denied" });
  await expect(doFetch(`${server.origin}/file`, {}, setup)).rejects.toThrow("http and https");
  await expect(doFetch(`${server.origin}/loop`, {}, setup)).rejects.toThrow("more than 10 redirects");
  await expect(doFetch(`${server.origin}/loop`, { redirect: "error" }, setup)).rejects.toThrow("redirect");
  expect(await doFetch(`${server.origin}/loop`, { redirect: "manual" }, setup)).toMatchObject({
    status: 302,
    redirected: false,
  });
});

test("secrets are filled in on the way out and masked, however spelled, on the way in", async () => {
  await using server = await testServer((request, response) => {
    const spelled = [
      key,
      encodeURIComponent(key),
      JSON.stringify(key),
      Buffer.from(`user:${key}`).toString("base64"),
    ].join(" ");
    response.setHeader("x-echo", encodeURIComponent(key)).end(`${spelled} ${request.body}`);
  });
  const setup = {
    net: [grant(server.port)],
    grants: { KEY: [`127.0.0.1:${server.port}`] },
    values: { KEY: key },
    responseBytes: 10_000,
  };
  const { placeholder } = z
    .object({ placeholder: z.string() })
    .parse(await performEffect("secrets.get", { name: "KEY" }, setup));
  expect(placeholder).toMatch(/^jrsecret_key_[0-9a-f]{16}$/);
  const basic = `Basic ${Buffer.from(`user:${placeholder}`).toString("base64")}`;
  const request = {
    method: "POST",
    headers: [
      ["authorization", basic],
      ["x-key", `a ${placeholder}`],
    ] satisfies [string, string][],
    body: JSON.stringify({ placeholder }),
  };
  const answer = await doFetch(`${server.origin}/${placeholder}?k=${placeholder}`, request, setup);
  const [received] = server.received;
  expect(received?.url).toBe(`/k-9%2Fsecret+value=%C3%A4?k=${encodeURIComponent(key)}`);
  expect(received?.headers.authorization).toBe(`Basic ${Buffer.from(`user:${key}`).toString("base64")}`);
  expect(Buffer.from(String(received?.headers["x-key"]), "latin1").toString()).toBe(`a ${key}`);
  expect(received?.body).toBe(JSON.stringify({ placeholder: key }));
  const everything = JSON.stringify(answer);
  for (const shown of ["secret+value", "secret%2Bvalue", Buffer.from(`user:${key}`).toString("base64").slice(8, -4)])
    expect(everything).not.toContain(shown);
  expect(answer.url).toBe(`${server.origin}/${placeholder}?k=${placeholder}`);
});

test("a secret that is a URL can be fetched, added to, and does not come back", async () => {
  await using server = await testServer(({ url }, response) => response.end(`no route ${url}`));
  const setup = {
    net: [grant(server.port)],
    grants: { HOOK: [`127.0.0.1:${server.port}`] },
    values: { HOOK: hook(server.port) },
  };
  const { placeholder } = z
    .object({ placeholder: z.string() })
    .parse(await performEffect("secrets.get", { name: "HOOK" }, setup));
  const answer = await doFetch(
    new URL(placeholder).href,
    { method: "POST", body: JSON.stringify({ me: placeholder }) },
    setup,
  );
  expect(server.received[0]).toMatchObject({
    url: "/hooks/T0001/B0002?sig=abc",
    body: JSON.stringify({ me: hook(server.port) }),
  });
  expect(answer.url).toBe(placeholder);
  expect(answer.body).not.toContain("B0002");
  await doFetch(`${placeholder}/more?x=1`, {}, setup);
  expect(server.received[1]?.url).toBe("/hooks/T0001/B0002/more?sig=abc&x=1");
});

test("a secret goes to its own hosts only: directly, in a redirect's body, headers and address", async () => {
  await using other = await testServer((_, response) => response.end("other"));
  await using server = await testServer(({ url }, response) => {
    const to = url.startsWith("/leak") ? `${other.origin}/${encodeURIComponent(key)}` : `${other.origin}/`;
    response.writeHead(307, { location: to }).end();
  });
  const setup = {
    net: [grant(server.port), grant(other.port)],
    grants: { KEY: [`127.0.0.1:${server.port}`] },
    values: { KEY: key },
  };
  const { placeholder } = z
    .object({ placeholder: z.string() })
    .parse(await performEffect("secrets.get", { name: "KEY" }, setup));
  await expect(doFetch(`${other.origin}/?k=${placeholder}`, {}, setup)).rejects.toThrow("may not go to");
  await expect(doFetch(other.origin, { headers: [["x-key", placeholder]] }, setup)).rejects.toThrow("may not go to");
  await expect(doFetch(server.origin, { method: "POST", body: placeholder }, setup)).rejects.toThrow("may not go to");
  await expect(doFetch(`${server.origin}/leak`, {}, setup)).rejects.toThrow("may not go to");
  expect(other.received).toEqual([]);
  await doFetch(
    server.origin,
    {
      headers: [
        ["x-key", placeholder],
        ["authorization", "a"],
        ["cookie", "c"],
        ["x-plain", "p"],
      ],
    },
    setup,
  );
  expect(Object.keys(other.received[0]?.headers ?? {})).not.toEqual(expect.arrayContaining(["x-key"]));
  expect(other.received[0]?.headers).toMatchObject({ "x-plain": "p" });
  expect(other.received[0]?.headers).not.toHaveProperty("authorization");
  expect(other.received[0]?.headers).not.toHaveProperty("cookie");
});

test("errors do not tell a secret", async () => {
  const values = { KEY: "line-one\nline-two" };
  const setup = { net: [grant(1)], grants: { KEY: ["127.0.0.1:1"] }, values };
  const { placeholder } = z
    .object({ placeholder: z.string() })
    .parse(await performEffect("secrets.get", { name: "KEY" }, setup));
  const failure = doFetch("http://127.0.0.1:1/", { headers: [["x-key", placeholder]] }, setup);
  await expect(failure).rejects.toThrow(/^The value of the header x-key holds a line break/);
});

test("a name that leads to this machine is refused on connecting, unless the grant says private", async () => {
  await using server = await testServer((_, response) => response.end("inside"));
  // A name that resolves to a loopback address on every machine, under the grant of one that should not.
  const url = new URL(`http://localhost:${server.port}/`);
  const connect = (isPrivate: boolean) => {
    const named = { host: "api.example.org", port: server.port, private: isPrivate };
    const { signal } = new AbortController();
    return sendRequest({ url, method: "GET", headers: [], body: null }, { grant: named, maxBytes: 1_000, signal });
  };
  await expect(connect(false)).rejects.toMatchObject({ code: "permission_denied" });
  expect(server.received).toEqual([]);
  expect(String((await connect(true)).body)).toBe("inside");
});

test("a placeholder whose value was removed is not sent", async () => {
  await using server = await testServer((_, response) => response.end());
  const grants = { KEY: [`127.0.0.1:${server.port}`] };
  const setup = { net: [grant(server.port)], grants };
  const get = await performEffect("secrets.get", { name: "KEY" }, { ...setup, values: { KEY: key } });
  const { placeholder } = z.object({ placeholder: z.string() }).parse(get);
  await expect(doFetch(server.origin, { method: "POST", body: placeholder }, setup)).rejects.toMatchObject({
    code: "secret_not_found",
  });
  expect(server.received).toEqual([]);
});

test("a secret in the query of a URL does not come back when the job adds to its path", async () => {
  const secretKey = "S3cr3t-Key-0123456789";
  await using server = await testServer((_, response) => response.end(`got ${secretKey}`));
  const values = { HOOK: `${server.origin}/hook?key=${secretKey}` };
  const setup = { net: [grant(server.port)], grants: { HOOK: [`127.0.0.1:${server.port}`] }, values };
  const get = await performEffect("secrets.get", { name: "HOOK" }, setup);
  const { placeholder } = z.object({ placeholder: z.string() }).parse(get);
  const answer = await doFetch(`${placeholder}/extra`, {}, setup);
  expect(server.received[0]?.url).toBe(`/hook/extra?key=${secretKey}`);
  expect(JSON.stringify(answer)).not.toContain(secretKey);
});

test.each([
  ["a-plain-Value", (token: string) => `http://${token}.example.org/`],
  ["a-plain-Value", (token: string) => `http://${token.toUpperCase()}/`],
  ["https://h.example.org/x", (token: string) => `${token.replace("https:", "http:")}/`],
  ["https://h.example.org/x", (token: string) => token.replace("https://", "https://sub.")],
])("a placeholder in a host name is refused before its value is used", async (value, urlOf) => {
  const setup = { grants: { KEY: ["h.example.org"] }, values: { KEY: value } };
  const get = await performEffect("secrets.get", { name: "KEY" }, setup);
  const { placeholder } = z.object({ placeholder: z.string() }).parse(get);
  const failure = doFetch(urlOf(placeholder), {}, setup);
  await expect(failure).rejects.toMatchObject({
    code: "invalid_argument",
    message: expect.stringMatching(/^The secret KEY cannot be part of a host name/),
  });
  await expect(failure).rejects.not.toThrow(/a-plain/i);
});
