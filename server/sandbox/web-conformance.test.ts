import { afterAll, beforeAll, expect, test } from "vitest";
import { jobSource, sandboxRun, testPool } from "../../tests/support/sandbox-run.ts";
import type { Pool } from "./types.ts";

/*
 * Expressions of the web platform, evaluated in the sandbox and in Node: the same value or an error of the
 * same name. What the sandbox leaves out or does otherwise stands in docs/job-api.md.
 */

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

const expressions = {
  URL: `
    new URL("https://user:pw@example.org:8080/a/../b?x=1#f").href
    new URL("../c?d", "https://example.org/a/b/").href
    new URL("HTTPS://EXAMPLE.org:443/%7Efoo/../bar").href
    new URL("https://münchen.example/ä?ö=ü").href
    new URL("https://example.org").origin
    new URL("file:///tmp/x").origin
    new URL("data:text/plain,hi").pathname
    new URL("https://example.org/?a=1&a=2&b=").searchParams.getAll("a").join()
    new URL("no url")
    new URL("https://[::1]:80/").host
    new URL("http://0x7f.1/").hostname
    new URL("http://example.org:99999/")
    URL.canParse("x:y")
    URL.canParse("//x")
    URL.parse("::")
    (() => { const u = new URL("https://a.example/"); u.pathname = "/b c"; u.search = "?q=é"; u.hash = "h"; return u.href; })()
    (() => { const u = new URL("https://a.example/"); u.port = "8080"; u.hostname = "b.example"; return u.host; })()
    (() => { const u = new URL("https://a.example/?x=1"); u.searchParams.append("y", "2 3"); return u.href; })()
    (() => { const u = new URL("https://a.example/?x=1"); u.searchParams.delete("x"); return u.search; })()
    JSON.stringify({ u: new URL("https://example.org/a") })
    String(new URL("https://example.org/a b"))
    new URLSearchParams("a=1&b=2&a=3").toString()
    new URLSearchParams({ a: "1 2", b: "ä&" }).toString()
    new URLSearchParams([["x", "1"], ["y", "+"]]).toString()
    new URLSearchParams("?q=a+b%20c").get("q")
    new URLSearchParams("a=1").has("a", "2")
    [...new URLSearchParams("b=2&a=1").keys()].join()
    (() => { const p = new URLSearchParams("b=2&a=1&b=1"); p.sort(); return p.toString(); })()
    (() => { const p = new URLSearchParams("a=1&b=2&a=3"); p.set("a", "9"); return p.toString(); })()
    (() => { const p = new URLSearchParams("a=1&a=2"); p.delete("a", "1"); return p.toString(); })()
    new URLSearchParams("a=1&b").size
    new URLSearchParams("%zz=%").toString()
    Object.fromEntries(new URLSearchParams("a=1&b=2")).b`,
  Headers: `
    new Headers({ "X-A": "1", b: "2" }).get("x-a")
    [...new Headers([["b", "1"], ["A", "2"], ["b", "3"]])].join(";")
    (() => { const h = new Headers(); h.append("a", "1"); h.append("A", "2"); return h.get("a"); })()
    (() => { const h = new Headers(); h.append("set-cookie", "a=1"); h.append("set-cookie", "b=2"); return h.getSetCookie().length; })()
    new Headers({ "bad name": "x" })
    new Headers({ a: "line\\nbreak" })
    new Headers({ a: "  trimmed  " }).get("a")
    new Headers(new Headers({ a: "1" })).has("A")
    (() => { const h = new Headers({ a: "1" }); h.delete("A"); return h.has("a"); })()
    new Headers().get("missing")
    [...new Headers({ b: "1", a: "2" }).values()].join()`,
  Bodies: `
    await new Response("text").text()
    await new Response('{"a":[1]}').json()
    (await new Response("ä").arrayBuffer()).byteLength
    await new Response(new Uint8Array([104, 105])).text()
    await new Response(new URLSearchParams({ a: "1 2" })).text()
    new Response(new URLSearchParams({ a: "1" })).headers.get("content-type")
    new Response("x").headers.get("content-type")
    new Response("x", { status: 404 }).ok
    new Response("x", { status: 201, statusText: "Made" }).statusText
    new Response("x", { status: 99 })
    await Response.json({ a: 1 }).text()
    Response.json({ a: 1 }).headers.get("content-type")
    (async () => { const r = new Response("x"); await r.text(); return r.bodyUsed; })()
    (async () => { const r = new Response("x"); await r.text(); await r.text(); })()
    (async () => { const r = new Response("twice"); const c = r.clone(); return (await r.text()) + (await c.text()); })()
    await new Response("not json").json()
    new Response(null).bodyUsed
    new Request("https://example.org/a", { method: "post", body: "x" }).method
    new Request("https://example.org/a", { method: "patch", body: "x" }).method
    new Request("https://example.org/", { method: "GET", body: "x" })
    new Request("https://example.org/", { method: "TRACE" })
    new Request("https://example.org/", { headers: { a: "1" } }).headers.get("a")
    await new Request("https://example.org/", { method: "PUT", body: "hello" }).text()
    new Request(new Request("https://example.org/x", { method: "PUT", body: "1" })).method
    new Request("not absolute")`,
  Encoding: `
    [...new TextEncoder().encode("aä€😀")].join()
    [...new TextEncoder().encode("\\ud800")].join()
    new TextDecoder().decode(new Uint8Array([0xe2, 0x82, 0xac]))
    new TextDecoder().decode(new Uint8Array([0xff, 0x41]))
    new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff]))
    new TextDecoder("latin1").encoding
    new TextDecoder("utf-16le").decode(new Uint8Array([0x61, 0, 0xe4, 0]))
    new TextDecoder("nonsense")
    new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])).length
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61])).length
    JSON.stringify(new TextEncoder().encodeInto("a€b", new Uint8Array(4)))
    new TextEncoder().encoding
    new TextDecoder().encoding
    btoa("hello")
    btoa("\\u00ff")
    btoa("€")
    atob("aGVsbG8=")
    atob(" aGVs bG8 ")
    atob("a")
    atob("aGVsbG8")
    atob("!!!!")
    atob("")
    encodeURIComponent("ä b&c")
    decodeURIComponent("%E4")
    escape("ä")`,
  Cloning: `
    JSON.stringify(structuredClone({ a: [1, { b: 2 }] }))
    structuredClone(new Date(5)).getTime()
    [...structuredClone(new Map([["a", 1]]))].join()
    [...structuredClone(new Set([1, 2]))].join()
    structuredClone(new Uint8Array([1, 2, 3])).join()
    structuredClone(undefined)
    structuredClone(null)
    structuredClone(10n) === 10n
    structuredClone(() => 1)
    structuredClone(Symbol("s"))
    (() => { const a = {}; a.self = a; const c = structuredClone(a); return c.self === c; })()
    structuredClone(new Error("x")).message
    structuredClone(new RangeError("x")).name
    structuredClone(/a+/gi).flags
    Object.is(structuredClone(-0), -0)`,
  Events: `
    new AbortController().signal.aborted
    (() => { const c = new AbortController(); c.abort(); return c.signal.reason.name; })()
    (() => { const c = new AbortController(); c.abort("why"); return c.signal.reason; })()
    (() => { const c = new AbortController(); let n = 0; c.signal.addEventListener("abort", () => n++); c.abort(); c.abort(); return n; })()
    (() => { const c = new AbortController(); let n = 0; c.signal.onabort = () => n++; c.abort(); return n; })()
    AbortSignal.abort().aborted
    AbortSignal.abort(7).reason
    AbortSignal.abort().throwIfAborted()
    AbortSignal.any([AbortSignal.abort("a"), new AbortController().signal]).reason
    AbortSignal.any([]).aborted
    (() => { const c = new AbortController(); const s = AbortSignal.any([c.signal]); c.abort(3); return s.reason; })()
    new AbortSignal()
    new Event("x").type
    new Event("x", { cancelable: true }).defaultPrevented
    (() => { const t = new EventTarget(); const seen = []; t.addEventListener("a", () => seen.push(1)); t.addEventListener("a", () => seen.push(2), { once: true }); t.dispatchEvent(new Event("a")); t.dispatchEvent(new Event("a")); return seen.join(); })()
    (() => { const t = new EventTarget(); const seen = []; const f = () => seen.push(1); t.addEventListener("a", f); t.addEventListener("a", f); t.dispatchEvent(new Event("a")); t.removeEventListener("a", f); t.dispatchEvent(new Event("a")); return seen.length; })()
    (() => { const t = new EventTarget(); t.addEventListener("a", (e) => e.preventDefault()); return t.dispatchEvent(new Event("a", { cancelable: true })); })()
    (() => { const t = new EventTarget(); const seen = []; t.addEventListener("a", (e) => { seen.push(1); e.stopImmediatePropagation(); }); t.addEventListener("a", () => seen.push(2)); t.dispatchEvent(new Event("a")); return seen.join(); })()
    (() => { const t = new EventTarget(); let self; t.addEventListener("a", { handleEvent(e) { self = e.target === t; } }); t.dispatchEvent(new Event("a")); return self; })()
    new DOMException("m", "AbortError").code
    new DOMException("m").name
    new DOMException("m") instanceof Error
    String(new DOMException("m", "DataError"))`,
  Crypto: `
    crypto.randomUUID().length
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())
    crypto.getRandomValues(new Uint8Array(4)).length
    crypto.getRandomValues(new Uint8Array(65537))
    crypto.getRandomValues(new Float32Array(1))
    [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode("abc")))].slice(0, 4).join()
    [...new Uint8Array(await crypto.subtle.digest({ name: "sha-1" }, new Uint8Array(0)))].slice(0, 4).join()
    await crypto.subtle.digest("MD5", new Uint8Array(0))
    (await crypto.subtle.digest("SHA-512", new Uint8Array(3))).byteLength`,
  Timers: `
    await (async () => { const order = []; setTimeout(() => order.push("timer"), 0); queueMicrotask(() => order.push("micro")); order.push("sync"); await new Promise((r) => setTimeout(r, 5)); return order.join(); })()
    await new Promise((resolve) => setTimeout(resolve, 1, "given"))
    await (async () => { let n = 0; const id = setTimeout(() => n++, 0); clearTimeout(id); await new Promise((r) => setTimeout(r, 5)); return n; })()
    await (async () => { let n = 0; await new Promise((r) => { const id = setInterval(() => { n++; if (n === 3) { clearInterval(id); r(); } }, 1); }); return n; })()
    await (async () => { const order = []; Promise.resolve().then(() => order.push(1)); queueMicrotask(() => order.push(2)); await null; await null; return order.join(); })()
    clearTimeout(undefined)
    queueMicrotask("x")`,
  Language: `
    new Intl.DateTimeFormat("en-US", { dateStyle: "long", timeZone: "UTC" }).format(new Date(0))
    new Intl.NumberFormat("de-DE", { style: "currency", currency: "EUR" }).format(1234.5)
    new Intl.RelativeTimeFormat("en").format(-1, "day")
    new Intl.PluralRules("en", { type: "ordinal" }).select(2)
    ["ä", "z", "a"].sort(new Intl.Collator("de").compare).join()
    [...new Intl.Segmenter("en", { granularity: "word" }).segment("a b")].length
    new Date(0).toLocaleDateString("en-GB", { timeZone: "Asia/Seoul" })
    new Date(Date.UTC(2026, 0, 31)).toISOString()
    new Date("nonsense").getTime()
    (12345.678).toLocaleString("en-US")
    "ß".toUpperCase()
    "İ".toLocaleLowerCase("tr").length
    "a\\u0301".normalize("NFC").length
    Object.groupBy([1, 2, 3], (n) => (n % 2 ? "odd" : "even")).odd.join()
    [3, 1, 2].toSorted().join()
    new Set([1, 2]).union(new Set([3])).size
    [1, 2, 3].values().map((n) => n * 2).toArray().join()
    Promise.try ? "there" : "not"
    typeof Iterator
    JSON.parse("[1e400]")[0]
    typeof globalThis
    isNaN("x")
    parseInt("08")
    Array.fromAsync ? "there" : "not"
    (await Promise.allSettled([Promise.reject(1), 2])).map((r) => r.status).join()
    (await Promise.any([Promise.reject(1), Promise.resolve(2)]))
    new Error("a", { cause: "b" }).cause
    new AggregateError([1], "m").errors.length`,
} as const;

const evaluate = async (code: string): Promise<string> => {
  const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
  try {
    return shown(await new AsyncFunction(`return (${code});`)());
  } catch (thrown) {
    return `throws ${thrown instanceof Error ? thrown.name : String(thrown)}`;
  }
};

function shown(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : value instanceof Object ? JSON.stringify(value) : String(value);
}

const inGuest = (codes: readonly string[]) =>
  jobSource(`
    const shown = ${shown.toString()};
    const results = [];
    ${codes
      .map(
        (code) =>
          `try { results.push(shown(await (async () => (${code}))())); } catch (e) { results.push("throws " + (e instanceof Error ? e.name : String(e))); }`,
      )
      .join("\n")}
    return results;`);

test("there are at least 150 of them", () => {
  expect(Object.values(expressions).flatMap(linesOf).length).toBeGreaterThanOrEqual(150);
});

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

test.each(Object.entries(expressions))("%s: the sandbox says what Node says", async (_, text) => {
  const codes = linesOf(text);
  const outcome = await pool.run(await sandboxRun(inGuest(codes)));
  if (outcome.state !== "succeeded") throw new Error(JSON.stringify(outcome));
  const ours: string[] = JSON.parse(outcome.outputJson ?? "[]");
  const differences: Record<string, readonly [string, string]> = {};
  for (const [i, code] of codes.entries()) {
    const theirs = await evaluate(code);
    if (ours[i] !== theirs) differences[code] = [ours[i] ?? "", theirs];
  }
  expect(differences).toEqual({});
});
