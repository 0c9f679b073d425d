import { expect, test } from "vitest";
import { followRedirect } from "./redirect.ts";

const follow = (from: string, to: string) =>
  followRedirect(
    { url: new URL(from), method: "POST", headers: [["x-key", "secret"]], body: Buffer.from("secret") },
    { status: 307, to: new URL(to), bearsSecret: () => true },
  );

test("what was said over TLS is not repeated in clear text, not even to the same host", () => {
  for (const to of ["http://a.example.org/", "http://a.example.org:443/", "http://b.example.org/"]) {
    expect(() => follow("https://a.example.org/", to)).toThrow(
      "fetch failed: a.example.org redirects from https to http",
    );
  }
});

test("a redirect to the same scheme, or up to TLS, is followed", () => {
  for (const [from, to] of [
    ["http://a.example.org/", "http://a.example.org/x"],
    ["http://a.example.org/", "https://a.example.org/"],
    ["https://a.example.org/", "https://b.example.org/"],
  ] as const) {
    expect(follow(from, to).url.href).toBe(to);
  }
});
