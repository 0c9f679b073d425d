import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testManifest, testPermissions } from "../../tests/support/runs.ts";
import { guestStartMs, jobSource, sandboxRun, testPool } from "../../tests/support/sandbox-run.ts";
import { effects } from "../effects/table.ts";
import type { Manifest } from "../jobs/manifest.ts";
import type { JournalEntry } from "../runs/read-journal.ts";
import type { Pool } from "../sandbox/types.ts";
import type { Mock } from "./mocks.ts";
import { type RecordedRun, type Rehearsed, rehearse } from "./rehearse.ts";
import { reportText } from "./report-text.ts";

let pool: Pool;
beforeAll(async () => {
  pool = await testPool();
});
afterAll(() => pool[Symbol.asyncDispose]());

const permissions = testPermissions({
  net: [{ host: "api.example.org", port: null, private: false }],
  secrets: { TOKEN: ["api.example.org"] },
});
const base = testManifest({ permissions });
const wide: Manifest = { ...base, limits: { ...base.limits, timeoutMs: 8_000, effects: 1_000, logBytes: 100_000 } };

type Given = Readonly<{ mocks?: readonly Mock[]; recorded?: RecordedRun; manifest?: Manifest }>;

async function rehearsed(body: string, { mocks = [], recorded, manifest = wide }: Given = {}): Promise<Rehearsed> {
  const { bundle, bundleHash, sourceMap } = await sandboxRun(jobSource(body));
  return rehearse(
    { pool, effects },
    {
      version: { job: "test", version: 1, bundle, bundleHash, sourceMap, manifest },
      inputJson: null,
      event: null,
      mocks,
      recorded: recorded ?? null,
      startMs: guestStartMs,
      signal: new AbortController().signal,
    },
  );
}

/** A recorded run that had these effects, delivered in the given order. */
function record(
  ...entries: readonly Readonly<{ op: string; args: unknown; result: unknown; delivered?: number }>[]
): RecordedRun {
  const journal = entries.map(({ op, args, result, delivered }, index): JournalEntry => {
    const at = delivered ?? index + 1;
    return {
      seq: index + 1,
      op,
      argsJson: JSON.stringify(args),
      safe: true,
      state: "done",
      ok: true,
      resultJson: JSON.stringify(result),
      delivered: at,
      guestMs: guestStartMs + at * 1_000,
      startedAt: new Date(guestStartMs),
    };
  });
  const info = { job: "test", version: 1, run: "R7", attempt: 1, trigger: "person", slot: null, event: null };
  return { info, seed: "0".repeat(32), startMs: guestStartMs, journal };
}

const get = (path: string) => ({
  url: `https://api.example.org${path}`,
  method: "GET",
  headers: [],
  body: null,
  redirect: "follow",
});
const page = (text: string) => ({
  status: 200,
  statusText: "",
  url: "https://api.example.org/",
  redirected: false,
  headers: [],
  body: Buffer.from(text).toString("base64"),
});

describe("with mocks", () => {
  test("a mock answers a fetch as the web would, and the report says what went out", async () => {
    const { report } = await rehearsed(
      `const list = await (await fetch("https://api.example.org/list")).json();
       const sent = await fetch("https://api.example.org/post", { method: "POST", body: "found " + list.length });
       log.info("sent", sent.status);
       return { status: sent.status, type: sent.headers.get("content-type") };`,
      {
        mocks: [
          { op: "fetch", match: { url: "*/list" }, result: { status: 200, body: [1, 2] } },
          {
            op: "fetch",
            match: { method: "POST", body: "found 2" },
            result: { status: 201, headers: { "content-type": "text/plain" }, body: "ok" },
          },
        ],
      },
    );
    expect(report).toMatchObject({
      state: "succeeded",
      unknownFrom: null,
      output: '{"status":201,"type":"text/plain"}',
    });
    expect(report.effects.map(({ answeredBy }) => answeredBy)).toEqual(["mock", "mock"]);
    expect(reportText(report)).toMatch(
      /^succeeded: 1 GET, 1 POST\n1\. fetch GET .*\/list \[mock\]\n2\. fetch POST .*found 2/,
    );
  });

  test("mocks are used up in order, and one can be an error", async () => {
    const { report } = await rehearsed(
      `const seen = [];
       for (let i = 0; i < 3; i++) {
         try { seen.push((await fetch("https://api.example.org/")).status); } catch (error) { seen.push(error.name + error.message); }
       }
       return seen;`,
      {
        mocks: [
          { op: "fetch", result: { status: 503, body: "" }, times: 1 },
          { op: "fetch", error: { name: "TypeError", message: "fetch failed: refused" }, times: 1 },
          { op: "fetch", result: { status: 200 } },
        ],
      },
    );
    expect(report.output).toBe('[503,"TypeErrorfetch failed: refused",200]');
  });
});

describe("without an answer", () => {
  test("what nothing answers is listed as unknown and never performed, and the job gets an error that it can catch", async () => {
    const { report } = await rehearsed(
      `await kv.set("a", 1);
       try { await fetch("https://api.example.org/"); } catch (error) { log.warn(error.code); }
       await kv.set("b", 2);
       return await kv.get("a");`,
    );
    expect(report).toMatchObject({ state: "succeeded", unknownFrom: 2, output: "1" });
    expect(report.log).toEqual([{ level: "warn", text: "unknown_in_rehearsal" }]);
    expect(report.effects.map(({ answeredBy }) => answeredBy)).toEqual(["own", "unknown", "own", "own"]);
    expect(reportText(report)).toContain("unknown from effect 2 on");
  });

  test("what the manifest does not grant is refused as in a real run, also where a mock would answer", async () => {
    const { report } = await rehearsed(`await fetch("https://evil.example.org/");`, {
      mocks: [{ op: "fetch", result: { status: 200 } }],
    });
    expect(report).toMatchObject({ state: "failed", unknownFrom: null });
    expect(report.error).toMatch(/^PermissionError: .*evil\.example\.org/);
    expect(report.effects).toMatchObject([{ answeredBy: "own" }]);
  });

  test("a secret is a placeholder", async () => {
    const { report } = await rehearsed(`return typeof (await secrets.get("TOKEN"));`);
    expect(report).toMatchObject({ state: "succeeded", unknownFrom: null });
  });
});

describe("time and bounds", () => {
  test("the clock moves on over waits, and a timeout does not fire before an answer that is there", async () => {
    const started = performance.now();
    const { report } = await rehearsed(
      `const before = Date.now();
       const status = (await fetch("https://api.example.org/", { signal: AbortSignal.timeout(5_000) })).status;
       const fast = Date.now() - before;
       const order = [];
       await Promise.all([90_000, 60_000].map((ms) => new Promise((done) => setTimeout(() => { order.push(ms); done(); }, ms))));
       return { status, fast, order, waited: Date.now() - before };`,
      { mocks: [{ op: "fetch", result: { status: 200 } }] },
    );
    expect(report.output, reportText(report)).toBe('{"status":200,"fast":0,"order":[60000,90000],"waited":90000}');
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test("a job that never ends is stopped, and at most 200 effects are shown", async () => {
    const manifest = { ...wide, limits: { ...wide.limits, timeoutMs: 500 } };
    expect((await rehearsed(`for (;;) {}`, { manifest })).report).toMatchObject({
      state: "timed_out",
      unknownFrom: null,
    });
    const { report } = await rehearsed(`for (let i = 0; i < 300; i++) await kv.set("k" + i, i);`);
    expect(report).toMatchObject({ state: "succeeded", effectCount: 300 });
    expect(report.effects).toHaveLength(200);
  });
});

describe("over a recorded run", () => {
  test("each record answers once, by operation and arguments, in the order in which it came then", async () => {
    const { report } = await rehearsed(
      `const order = [];
       await Promise.all(["/a", "/b"].map(async (path) => {
         const text = await (await fetch("https://api.example.org" + path)).text();
         order.push([text, Date.now()]);
       }));
       return order;`,
      {
        recorded: record(
          { op: "fetch", args: get("/a"), result: page("A"), delivered: 2 },
          { op: "fetch", args: get("/b"), result: page("B"), delivered: 1 },
        ),
      },
    );
    expect(report.output, reportText(report)).toBe(
      JSON.stringify([
        ["B", guestStartMs + 1_000],
        ["A", guestStartMs + 2_000],
      ]),
    );
  });

  test("a record that is not asked for any more does not hold up the others", async () => {
    const { report } = await rehearsed(`return await (await fetch("https://api.example.org/b")).text();`, {
      recorded: record(
        { op: "fetch", args: get("/a"), result: page("A") },
        { op: "fetch", args: get("/b"), result: page("B") },
      ),
    });
    expect(report).toMatchObject({ state: "succeeded", output: '"B"', effects: [{ answeredBy: "record" }] });
  });

  test("kv starts as the run found it, with the rehearsal's own writes over it; a key that no record tells of is unknown", async () => {
    const { report } = await rehearsed(
      `const first = await kv.get("seen");
       await kv.set("seen", [...first, "new"]);
       const later = await kv.get("seen");
       const keys = (await kv.list({ prefix: "s" }));
       let other = "known";
       try { await kv.get("other"); } catch (error) { other = error.code; }
       return { first, later, keys, other };`,
      {
        recorded: record(
          { op: "kv.get", args: { key: "seen" }, result: { value: ["old"], revision: 4 } },
          { op: "kv.set", args: { key: "seen", value: ["old", "x"] }, result: { revision: 5 } },
          { op: "kv.list", args: { prefix: "s" }, result: { keys: ["seen"], cursor: null } },
        ),
      },
    );
    expect(JSON.parse(report.output ?? "null")).toMatchObject({
      first: ["old"],
      later: ["old", "new"],
      keys: { keys: ["seen"], cursor: null },
      other: "unknown_in_rehearsal",
    });
  });
});

test("limits of the manifest on bodies and journal hold as in a run", async () => {
  const limited = (limits: Partial<Manifest["limits"]>) => ({ ...wide, limits: { ...wide.limits, ...limits } });
  const large = await rehearsed(
    'await fetch("https://api.example.org/", { method: "POST", body: "x".repeat(400_000) });',
    {
      manifest: limited({ requestBytes: 1_024 }),
    },
  );
  expect(large.report.error).toContain("limits.requestBytes in defineJob raises that");
  const long = await rehearsed('for (let n = 0; n < 100; n++) await kv.set("k", "x".repeat(100));', {
    manifest: limited({ journalBytes: 1_024 }),
  });
  expect(long.report).toMatchObject({
    state: "limit_exceeded",
    error: expect.stringContaining("limits.journalBytes in defineJob raises that"),
  });
  expect(long.report.effectCount).toBeLessThan(10);
});
