import { expect, test } from "vitest";
import { createMask } from "./mask-secrets.ts";
import { grantedSecrets } from "./placeholders.ts";

function maskOf(value: string) {
  const secrets = grantedSecrets("00", ["KEY"], { get: () => value, names: () => ["KEY"] });
  return { mask: createMask(secrets), token: secrets[0]?.token ?? "" };
}

const odd = "pa'ss w/rd+%ä😀!";
test.each([
  ["raw", odd],
  ["as the URL parser writes it in a path", new URL(`http://h/${odd}`).pathname.slice(1)],
  ["as the URL parser writes it in a query", new URL(`http://h/?${odd}`).search.slice(1)],
  ["as the URL parser writes it in a fragment", new URL(`http://h/#${odd}`).hash.slice(1)],
  ["as a form", new URLSearchParams([["", odd]]).toString().slice(1)],
  ["percent-encoded", encodeURIComponent(odd)],
  ["percent-encoded, then parsed", new URL(`http://h/?${encodeURIComponent(odd)}`).search.slice(1)],
  ["percent-encoded in lower case", encodeURIComponent(odd).replace(/%../g, (code) => code.toLowerCase())],
  ["percent-encoded twice", encodeURIComponent(encodeURIComponent(odd))],
  ["JSON", JSON.stringify(odd).slice(1, -1)],
  ["JSON with slashes escaped", odd.replace("/", "\\/")],
  ["JSON in ASCII", odd.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)],
  ["JSON with more escaped", odd.replace("+", "\\u002B").replace("'", "\\u0027")],
  ["base64", Buffer.from(odd).toString("base64")],
  ["base64, percent-encoded", encodeURIComponent(Buffer.from(odd).toString("base64"))],
])("a value is masked %s", (_, written) => {
  const { mask, token } = maskOf(odd);
  expect(mask.text(`<${written}>`)).toBe(`<${token}>`);
  expect(String(mask.bytes(Buffer.from(`<${written}>`)))).toBe(`<${token}>`);
  expect(mask.reveals(written)).toEqual(["KEY"]);
});

const address =
  "https://some-user:pass-w0rd@h.example.org/services/T0ken-0123/x%2Fyz-0123?key=S3cret%27Key&a=b#Fragment-1";
test.each([
  ["some-user", true],
  ["pass-w0rd", true],
  [Buffer.from("some-user:pass-w0rd").toString("base64"), true],
  ["T0ken-0123", true],
  ["x%2fyz-0123", true],
  ["x/yz-0123", true],
  ["S3cret'Key", true],
  ["S3cret%27Key", true],
  ["Fragment-1", true],
  ["h.example.org", false],
  ["services", false],
  ["a=b", false],
])("of a URL %s is masked: %s", (part, masked) => {
  const { mask, token } = maskOf(address);
  expect(mask.text(`<${part}>`)).toBe(masked ? `<${token}>` : `<${part}>`);
});

test("a query without a name is a key as a whole", () => {
  expect(maskOf("https://h.example.org/?S3cretKey").mask.text("S3cretKey")).not.toContain("S3cretKey");
});

test("a part that stands in the token too does not garble it", () => {
  const { mask, token } = maskOf("https://h.example.org/jrsecret_/T0ken-0123");
  expect(mask.text("<T0ken-0123>")).toBe(`<${token}>`);
});

test("the longest value that is allowed is masked, and no piece of it stays", () => {
  const value = Array.from({ length: 10_000 }, (_, i) => `${i}/😀\n`)
    .join("")
    .slice(0, 65_536)
    .toWellFormed();
  const { mask, token } = maskOf(value);
  expect(mask.text(`<${value}>`).replaceAll(token, "")).toBe("<>");
});

test("text that only just is not a secret takes no time to tell", () => {
  const { mask } = maskOf(`${'-"\\\n%'.repeat(40)}x`);
  const near = `${'-"\\\n%'.repeat(40)}y`;
  expect(mask.text(near)).toBe(near);
});
