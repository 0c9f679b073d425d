import type { LookupAddress } from "node:dns";
import { expect, test } from "vitest";
import { checkedLookup, requireNetGrant } from "./net-permission.ts";

const grant = (host: string, port: number | null = null, isPrivate = false) => ({ host, port, private: isPrivate });

/** A name server with this answer. */
function resolver(answers: string[]) {
  const addresses = answers.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  return (_host: string, _options: unknown, callback: (error: null, addresses: LookupAddress[]) => void) =>
    callback(null, addresses);
}

function resolved(host: ReturnType<typeof grant>, answers: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const look = checkedLookup(host, resolver(answers));
    look(host.host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });
}

test.each([
  ["https://api.example.org/x", [grant("api.example.org")], true],
  ["http://api.example.org/x", [grant("api.example.org")], true],
  ["https://api.example.org:443/x", [grant("api.example.org", 443)], true],
  ["https://api.example.org:8443/x", [grant("api.example.org")], false],
  ["https://api.example.org:8443/x", [grant("api.example.org", 8443)], true],
  ["https://api.example.org./x", [grant("api.example.org")], false],
  ["https://evil.api.example.org/x", [grant("api.example.org")], false],
  ["https://api.example.org.evil.example/x", [grant("api.example.org")], false],
  ["https://API.example.org/x", [grant("api.example.org")], true],
  ["http://2130706433/", [grant("127.0.0.1")], true],
  ["http://0x7f.1/", [grant("api.example.org")], false],
  ["http://[::1]:80/", [grant("[::1]", 80)], true],
])("%s with grants %j: %s", (url, grants, ok) => {
  const ask = () => requireNetGrant(new URL(url), grants);
  if (ok) expect(ask()).toEqual(grants[0]);
  else expect(ask).toThrow(/permissions\.net/);
});

test("a name that leads to a private address is refused, also where only one of its addresses does", async () => {
  await expect(resolved(grant("a.example.org"), ["127.0.0.1"])).rejects.toThrow(
    '{ host: "a.example.org", private: true }',
  );
  await expect(resolved(grant("a.example.org", 8443), ["1.1.1.1", "fd00::1"])).rejects.toThrow('"a.example.org:8443"');
  await expect(resolved(grant("a.example.org"), ["1.1.1.1"])).resolves.toEqual([{ address: "1.1.1.1", family: 4 }]);
});

test("private: true, localhost and a literal address are grants for private addresses", async () => {
  for (const each of [grant("a.example.org", null, true), grant("localhost"), grant("127.0.0.1")]) {
    await expect(resolved(each, ["127.0.0.1"])).resolves.toHaveLength(1);
  }
});

test("what a connection gets is the answer that was checked: the name is resolved once", async () => {
  let asked = 0;
  const rebinding = (_host: string, _options: unknown, callback: (error: null, addresses: LookupAddress[]) => void) =>
    callback(null, [{ address: asked++ === 0 ? "1.1.1.1" : "127.0.0.1", family: 4 }]);
  const look = checkedLookup(grant("a.example.org"), rebinding);
  const ask = () =>
    new Promise((resolve, reject) => {
      look("a.example.org", {}, (error, address) => (error === null ? resolve(address) : reject(error)));
    });
  expect(await ask()).toBe("1.1.1.1");
  expect(asked).toBe(1);
  await expect(ask()).rejects.toThrow("loopback");
});
