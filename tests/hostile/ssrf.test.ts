import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { freezeManifest } from "../../server/jobs/freeze-manifest.ts";
import { performEffect, testServer } from "../support/effects.ts";

/*
 * Ways in which a job, or a server that it may talk to, tries to reach what no grant names. A local server counts what arrives;
 * it must be nothing.
 */

const doFetch = (url: string, net: Parameters<typeof performEffect>[2], more: object = {}) =>
  performEffect("fetch", { url, method: "GET", headers: [], body: null, redirect: "follow", ...more }, net);

/** Spellings of this machine, of private networks and of the addresses where clouds keep credentials. */
const spellings: readonly [string, string][] = [
  ["dotted decimal", "127.0.0.1"],
  ["decimal", "2130706433"],
  ["octal", "0177.0.0.1"],
  ["hexadecimal", "0x7f000001"],
  ["hexadecimal by parts", "0x7f.0x0.0x0.0x1"],
  ["short", "127.1"],
  ["zero", "0"],
  ["unspecified", "0.0.0.0"],
  ["percent-encoded", "%31%32%37%2e0.0.1"],
  ["full-width digits", "１２７.０.０.１"],
  ["ideographic full stops", "127。0。0。1"],
  ["a trailing dot", "127.0.0.1."],
  ["IPv6", "[::1]"],
  ["IPv6, written out", "[0000:0000:0000:0000:0000:0000:0000:0001]"],
  ["IPv6, unspecified", "[::]"],
  ["IPv4-mapped IPv6", "[::ffff:127.0.0.1]"],
  ["IPv4-mapped IPv6 in hexadecimal", "[::ffff:7f00:1]"],
  ["IPv4-compatible IPv6", "[::127.0.0.1]"],
  ["NAT64", "[64:ff9b::7f00:1]"],
  ["local NAT64", "[64:ff9b:1::7f00:1]"],
  ["6to4", "[2002:7f00:1::]"],
  ["Teredo", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]"],
  ["a private network", "10.0.0.1"],
  ["a unique local address", "[fd00:ec2::254]"],
  ["a link-local address", "[fe80::1]"],
  ["metadata of clouds", "169.254.169.254"],
  ["metadata of clouds in decimal", "2852039166"],
  ["metadata of Azure", "168.63.129.16"],
  ["carrier-grade NAT, metadata of Alibaba", "100.100.100.200"],
  ["the name of this machine", "localhost"],
  ["the name of this machine in capitals", "LOCALHOST"],
  ["below the name of this machine", "a.localhost"],
];

test.each(spellings)("%s (%s): refused as a permission, as an address and in a redirect", async (_, host) => {
  const permissions = { net: [host] };
  const declared = JSON.stringify({ description: "a test", permissions });
  expect(freezeManifest(declared, { timezone: "UTC", locale: "en-US", now: new Date(0) })).toMatchObject({ ok: false });

  await using inside = await testServer((_request, response) => response.end("inside"));
  await using granted = await testServer((_request, response) => {
    const inAscii = host.replace(/[^ -~]/g, encodeURIComponent);
    response.writeHead(302, { location: `http://${inAscii}:${inside.port}/` }).end();
  });
  const net = [{ host: "127.0.0.1", port: granted.port, private: true }];
  const refused = { code: "permission_denied" };
  await expect(doFetch(`http://${host}:${inside.port}/`, { net })).rejects.toMatchObject(refused);
  await expect(doFetch(`${granted.origin}/`, { net })).rejects.toMatchObject(refused);
  expect(granted.received).toHaveLength(1);
  expect(inside.received).toEqual([]);
});

test.each([
  ["a network interface in the address", (port: number) => `http://[fe80::1%25eth0]:${port}/`],
  ["a file", () => "file:///etc/passwd"],
  ["data", () => "data:text/plain,x"],
  ["FTP", (port: number) => `ftp://127.0.0.1:${port}/`],
  ["gopher", (port: number) => `gopher://127.0.0.1:${port}/_GET%20/`],
  ["a WebSocket", (port: number) => `ws://127.0.0.1:${port}/`],
  ["a blob", (port: number) => `blob:http://127.0.0.1:${port}/1`],
  ["a user name", (port: number) => `http://admin@127.0.0.1:${port}/`],
  ["user and password that look like the granted host", (port: number) => `http://127.0.0.1:x@localhost:${port}/`],
])("%s in the address or in a redirect is refused", async (_, address) => {
  await using inside = await testServer((_request, response) => response.end("inside"));
  await using granted = await testServer((_request, response) => {
    response.writeHead(302, { location: address(inside.port) }).end();
  });
  const net = [granted, inside].map(({ port }) => ({ host: "127.0.0.1", port, private: true }));
  await expect(doFetch(address(inside.port), { net })).rejects.toThrow();
  await expect(doFetch(granted.origin, { net })).rejects.toThrow();
  expect(granted.received).toHaveLength(1);
  expect(inside.received).toEqual([]);
});

test.each([
  ["a line feed in a value", ["x-a", "1\nhost: b.example.org"]],
  ["a carriage return in a value", ["x-a", "1\rx-b: 2"]],
  ["a NUL in a value", ["x-a", "1\0"]],
  ["a line break in a name", ["x-a: 1\r\nx-b", "2"]],
  ["a colon in a name", ["x-a:", "1"]],
  ["an empty name", ["", "1"]],
  ["a line separator that Latin-1 has not", ["x-a", "1\u2028x-b: 2"]],
  ["a character whose low byte is a line feed", ["x-a", "1\u010ax-b: 2"]],
  ["Host", ["Host", "b.example.org"]],
  ["Content-Length", ["content-length", "0"]],
  ["Transfer-Encoding", ["TRANSFER-ENCODING", "chunked"]],
  ["Connection", ["connection", "upgrade"]],
  ["Proxy-Authorization", ["proxy-authorization", "Basic eA=="]],
])("a header with %s is refused", async (_, header) => {
  await using server = await testServer((_request, response) => response.end());
  const net = [{ host: "127.0.0.1", port: server.port, private: true }];
  await expect(doFetch(server.origin, { net }, { headers: [header] })).rejects.toMatchObject({
    code: "invalid_argument",
  });
  expect(server.received).toEqual([]);
});

test.each(["GET / HTTP/1.1\r\nX-A: 1\r\n\r\nPOST", "CONNECT", "TRACE", "GET /admin", ""])(
  "the method %j is refused",
  async (method) => {
    await using server = await testServer((_request, response) => response.end());
    const net = [{ host: "127.0.0.1", port: server.port, private: true }];
    await expect(doFetch(server.origin, { net }, { method })).rejects.toThrow();
    expect(server.received).toEqual([]);
  },
);

test("a line break in path or query reaches the server encoded, as part of one request", async () => {
  await using server = await testServer((_request, response) => response.end());
  const net = [{ host: "127.0.0.1", port: server.port, private: true }];
  await doFetch(`${server.origin}/a%0d%0aX-B:%202?q=%0d%0a`, { net });
  expect(server.received.map(({ url }) => url)).toEqual(["/a%0d%0aX-B:%202?q=%0d%0a"]);
});

test("what is compressed again and again is refused, not unpacked", async () => {
  await using server = await testServer((_request, response) => {
    response.setHeader("content-encoding", "gzip, gzip, gzip, gzip, gzip, gzip");
    response.end([1, 2, 3, 4, 5, 6].reduce<Buffer>((body) => gzipSync(body), Buffer.alloc(100_000_000)));
  });
  const net = [{ host: "127.0.0.1", port: server.port, private: true }];
  await expect(doFetch(server.origin, { net, responseBytes: 1_000_000 })).rejects.toThrow();
});

test("headers that never end are cut off", async () => {
  await using server = await testServer((_request, response) => {
    const { socket } = response;
    socket?.write("HTTP/1.1 200 OK\r\n");
    const more = () => {
      if (socket?.writable) socket.write(`x-a: ${"a".repeat(1_000)}\r\n`, more);
    };
    more();
  });
  const net = [{ host: "127.0.0.1", port: server.port, private: true }];
  await expect(doFetch(server.origin, { net })).rejects.toThrow(/fetch failed/);
});

test("a body that drips for ever ends with the attempt", async () => {
  const end = new AbortController();
  await using server = await testServer((_request, response) => {
    response.write("a");
    response.socket?.once("drain", () => {});
    setImmediate(() => end.abort(new Error("the attempt is over")));
  });
  const net = [{ host: "127.0.0.1", port: server.port, private: true }];
  await expect(doFetch(server.origin, { net, signal: end.signal })).rejects.toThrow("the attempt is over");
});
