import { afterAll, beforeAll, expect, test } from "vitest";
import { answering, guestStartMs, jobSource, sandboxRun, testPool } from "../../tests/support/sandbox-run.ts";
import type { EffectCall, Pool } from "./types.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool({ max: 1, warm: 1 });
});
afterAll(() => pool[Symbol.asyncDispose]());

/** Where the web's own implementation in Node gives the expectation, it is computed; the rest is written out. */
const cases: [expression: string, expected: unknown][] = [
  ["new URL('../b?x=1#h', 'https://user@Example.org:443/a/c').href", "https://user@example.org/b?x=1#h"],
  [
    "(() => { const u = new URL('https://a.example/'); u.searchParams.append('q', 'ä b'); u.hash = 'z'; return u.href })()",
    "https://a.example/?q=%C3%A4+b#z",
  ],
  [
    "(() => { const u = new URL('https://a.example/?a=1'); const p = u.searchParams; u.search = '?b=2'; return [...p] })()",
    [["b", "2"]],
  ],
  ["URL.canParse('nope')", false],
  ["(() => { try { new URL('nope') } catch (e) { return e.name } })()", "TypeError"],
  ["[...new URLSearchParams({ a: '1', b: '2' })].join()", "a,1,b,2"],
  ["new URLSearchParams('a=1&a=2').getAll('a')", ["1", "2"]],
  ["[...new TextEncoder().encode('é\\ud800')]", [0xc3, 0xa9, 0xef, 0xbf, 0xbd]],
  ["new TextDecoder('windows-1252').decode(new Uint8Array([0x80]))", "€"],
  [
    "(() => { const d = new TextDecoder(); return d.decode(new Uint8Array([0xe2, 0x82]), { stream: true }) + d.decode(new Uint8Array([0xac])) })()",
    "€",
  ],
  [
    "(() => { try { new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([0xff])) } catch (e) { return e.name } })()",
    "TypeError",
  ],
  ["atob(btoa('\\x00\\xff'))", "\u0000\u00ff"],
  ["(() => { try { atob('a') } catch (e) { return [e.name, e.code] } })()", ["InvalidCharacterError", 5]],
  [
    "[...new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode('abc')))].slice(0, 3)",
    [0xba, 0x78, 0x16],
  ],
  ["/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())", true],
  ["structuredClone(new Map([['a', { d: new Date(5), s: new Set([1]) }]])).get('a').d.getTime()", 5],
  ["(() => { const a = { n: 1 }; a.self = a; const b = structuredClone(a); return b.self === b && b !== a })()", true],
  ["(() => { try { structuredClone(() => {}) } catch (e) { return e.name } })()", "DataCloneError"],
  ["new Date().getTime()", guestStartMs],
  ["new Date(2020, 1, 2).getMonth()", 1],
  ["Date() === new Date().toString()", true],
  ["new Date() instanceof Date && new Date().constructor === Date", true],
  ["new Intl.DateTimeFormat('en-GB', { year: 'numeric' }).format()", "2023"],
  ["new Headers({ 'X-B': '1', a: ' 2 ' }).get('x-b')", "1"],
  [
    "[...new Headers([['b', '1'], ['a', '2'], ['b', '3']])]",
    [
      ["a", "2"],
      ["b", "1, 3"],
    ],
  ],
  ["(() => { try { new Headers({ a: 'x\\ny' }) } catch (e) { return e.name } })()", "TypeError"],
  ["await Response.json({ a: 1 }).json()", { a: 1 }],
  [
    "(await (async () => { const r = new Response('x'); await r.text(); try { await r.text() } catch (e) { return e.name } })())",
    "TypeError",
  ],
  ["AbortSignal.abort('why').reason", "why"],
  [
    "(() => { const c = new AbortController(); let n = 0; c.signal.addEventListener('abort', () => n++); c.abort(); c.abort(); return [n, c.signal.reason.name] })()",
    [1, "AbortError"],
  ],
  ["await new Promise((done) => setTimeout(done, 5, 'late'))", "late"],
  [
    "await new Promise((done) => { const t = setTimeout(() => done('wrong'), 1); clearTimeout(t); setTimeout(done, 2, 'right') })",
    "right",
  ],
  [
    "await new Promise((done) => { let n = 0; const t = setInterval(() => { if (++n === 3) { clearInterval(t); done(n) } }, 1) })",
    3,
  ],
  ["await new Promise((done) => { AbortSignal.timeout(5).onabort = (e) => done(e.type) })", "abort"],
  ["z.object({ a: z.coerce.number() }).parse({ a: '4' })", { a: 4 }],
  ["(() => {}) instanceof Function", true],
];

test("the web's globals behave as the web's do", async () => {
  const body = `return [${cases.map(([expression]) => `await (async () => (${expression}))()`).join(",\n")}];`;
  const outcome = await pool.run(await sandboxRun(jobSource(body)));
  expect(outcome).toMatchObject({ state: "succeeded" });
  const values: unknown[] = outcome.state === "succeeded" ? JSON.parse(outcome.outputJson ?? "[]") : [];
  expect(cases.map(([expression], at) => [expression, values[at]])).toEqual(cases);
});

test("fetch sends what the contract says and gives a Response", async () => {
  const calls: EffectCall[] = [];
  const answer = {
    status: 201,
    statusText: "Created",
    url: "https://api.example.org/x",
    redirected: false,
    headers: [["content-type", "application/json"]],
    body: Buffer.from('{"ok":"ä"}').toString("base64"),
  };
  const source = jobSource(`
    const res = await fetch(new URL("https://api.example.org/x"), { method: "post", body: "ä", headers: { "X-A": "1" } });
    return [res.status, res.ok, res.url, res.headers.get("Content-Type"), await res.json(), res.bodyUsed];`);
  const run = await sandboxRun(source, {
    onEffect: answering((call) => {
      calls.push(call);
      return { ok: true, json: JSON.stringify(answer), guestMs: guestStartMs };
    }),
  });
  expect(await pool.run(run)).toEqual({
    state: "succeeded",
    outputJson: JSON.stringify([201, true, answer.url, "application/json", { ok: "ä" }, true]),
  });
  expect(calls.map((call) => [call.op, JSON.parse(call.argsJson)])).toEqual([
    [
      "fetch",
      {
        url: "https://api.example.org/x",
        method: "POST",
        headers: [
          ["content-type", "text/plain;charset=UTF-8"],
          ["x-a", "1"],
        ],
        body: Buffer.from("ä").toString("base64"),
        redirect: "follow",
      },
    ],
  ]);
});

test("an aborted fetch rejects although its reply never comes", async () => {
  const source = jobSource(`
    const c = new AbortController();
    setTimeout(() => c.abort(), 1);
    try { await fetch("https://api.example.org/", { signal: c.signal }); } catch (e) { return e.name; }`);
  const run = await sandboxRun(source, {
    onEffect: answering(({ op }) =>
      op === "fetch" ? new Promise<never>(() => {}) : { ok: true, json: "null", guestMs: guestStartMs },
    ),
  });
  expect(await pool.run(run)).toEqual({ state: "succeeded", outputJson: '"AbortError"' });
});
