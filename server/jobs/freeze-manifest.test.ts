import { describe, expect, test } from "vitest";
import { parseDuration } from "../duration.ts";
import { freezeManifest } from "./freeze-manifest.ts";
import { manifestSchema } from "./manifest.ts";

const defaults = { timezone: "Asia/Seoul", locale: "en-US", now: new Date("2026-11-01T00:00:00Z") };

function freeze(declared: object) {
  return freezeManifest(JSON.stringify({ description: "a test", input: null, ...declared }), defaults);
}

function problemsOf(declared: object) {
  const frozen = freeze(declared);
  return frozen.ok ? [] : frozen.problems;
}

describe("freezeManifest", () => {
  test("writes out every default, and the same declaration has the same hash however it is ordered", () => {
    const frozen = freeze({
      schedule: " 0  8 * * 1-5 ",
      permissions: { net: ["B.example.org", "a.example.org:8443"] },
    });
    const other = freeze({
      permissions: { net: ["a.example.org:8443", "b.example.org", "b.example.org"] },
      schedule: [{ cron: "0 8 * * 1-5" }],
    });
    if (!frozen.ok || !other.ok) throw new Error(JSON.stringify([frozen, other]));
    expect(manifestSchema.parse(JSON.parse(frozen.text))).toEqual(frozen.manifest);
    expect(other.hash).toBe(frozen.hash);
    expect(frozen.manifest).toEqual({
      description: "a test",
      schedules: [
        {
          key: "main",
          cron: "0 8 * * 1-5",
          timezone: "Asia/Seoul",
          catchUp: "latest",
          catchUpMax: 10,
          overlap: "skip",
          startDeadlineMs: null,
          jitterMs: 0,
        },
      ],
      triggers: { after: [], files: [], webhook: false },
      runsOn: [],
      priority: 0,
      permissions: {
        net: [
          { host: "a.example.org", port: 8443, private: false },
          { host: "b.example.org", port: null, private: false },
        ],
        secrets: {},
        files: { read: [], write: [] },
        llm: [],
        notify: [],
        exec: [],
        run: [],
        tasks: null,
        agents: [],
      },
      limits: {
        timeoutMs: 60_000,
        cpuMs: 30_000,
        memoryMb: 128,
        logBytes: 262_144,
        effects: 1_000,
        inFlight: 64,
        requestBytes: 10_485_760,
        responseBytes: 10_485_760,
        journalBytes: 67_108_864,
        artifactBytes: 67_108_864,
        runsPerHour: 4_000,
      },
      retry: { attempts: 1, backoff: "exponential", delayMs: 10_000, maxDelayMs: 3_600_000 },
      onUncertain: "ask",
      callers: ["schedule", "person", "host", "job", "agent"],
      input: null,
      timezone: "Asia/Seoul",
      locale: "en-US",
    });
  });

  test("hosts of secrets are granted too, names become ASCII, and a private host must be granted as one", () => {
    const frozen = freeze({
      permissions: {
        net: [{ host: "localhost:8080", private: true }],
        secrets: { TOKEN: ["Bücher.example", "localhost:8080"] },
      },
    });
    expect(frozen.ok && frozen.manifest.permissions).toMatchObject({
      net: [
        { host: "localhost", port: 8080, private: true },
        { host: "xn--bcher-kva.example", port: null, private: false },
      ],
      secrets: { TOKEN: ["localhost:8080", "xn--bcher-kva.example"] },
    });
    expect(problemsOf({ permissions: { net: ["127.0.0.1"] } })).toMatchObject([
      { path: "permissions.net.0", hint: expect.stringContaining("private: true") },
    ]);
    expect(problemsOf({ permissions: { net: ["0x7f000001", "[::1]", "10.1"] } })).toHaveLength(3);
  });

  test("who may start it stands in one order, and limits of the author's are kept", () => {
    const frozen = freeze({
      callers: ["host", "person", "host"],
      onUncertain: "skip",
      limits: { cpu: "1h", inFlight: 1, runsPerHour: 12, journalBytes: 1024 ** 3 },
    });
    expect(frozen.ok && frozen.manifest).toMatchObject({
      callers: ["person", "host"],
      onUncertain: "skip",
      limits: { timeoutMs: 60_000, cpuMs: 3_600_000, inFlight: 1, runsPerHour: 12, journalBytes: 1_073_741_824 },
    });
  });

  test.each<[string, object, string, RegExp, RegExp]>([
    ["no description", { description: undefined }, "description", /description is needed/, /signs/],
    ["an unknown key", { schedul: "0 8 * * *" }, "schedul", /unknown key "schedul"/, /did you mean "schedule"/],
    [
      "an unknown permission",
      { permissions: { network: [] } },
      "permissions.network",
      /unknown permission "network"/,
      /known: net, secrets, files, llm, notify, exec, run, tasks, agents$/,
    ],
    [
      "a misspelt limit",
      { limits: { memoryMB: 64 } },
      "limits.memoryMB",
      /unknown key "memoryMB" in limits/,
      /did you mean "memoryMb"/,
    ],
    ["a cron that never fires", { schedule: "0 0 30 2 *" }, "schedule.0.cron", /never fires/, /30 February/],
    ["no cron expression", { schedule: { cron: "soon" } }, "schedule.0.cron", /no cron expression/, /five fields/],
    [
      "an unknown zone",
      { schedule: { cron: "0 8 * * *", timezone: "Asia/Soul" } },
      "schedule.0.timezone",
      /no time zone/,
      /Asia\/Seoul/,
    ],
    ["an unknown locale", { locale: "tlh-KX" }, "locale", /no locale/, /en-US/],
    ["a wildcard", { permissions: { net: ["*.example.org"] } }, "permissions.net.0", /wildcard/, /exact host/],
    [
      "a URL",
      { permissions: { net: ["https://api.example.org/v1"] } },
      "permissions.net.0",
      /is a URL/,
      /write "api.example.org"/,
    ],
    ["a path", { permissions: { net: ["api.example.org/v1"] } }, "permissions.net.0", /path/, /exact host/],
    [
      "a trailing dot",
      { permissions: { net: ["api.example.org."] } },
      "permissions.net.0",
      /ends in a dot/,
      /write "api.example.org"/,
    ],
    [
      "a secret for nobody",
      { permissions: { secrets: { TOKEN: [] } } },
      "permissions.secrets.TOKEN",
      /must name the hosts/,
      /CHAT_WEBHOOK/,
    ],
    ["too long a timeout", { limits: { timeout: "25h" } }, "limits.timeout", /between 100ms and 1d/, /"5m"/],
    ["a duration without unit", { limits: { timeout: "60" } }, "limits.timeout", /must be a duration/, /"5m"/],
    ["too much memory", { limits: { memoryMb: 4_096 } }, "limits.memoryMb", /16 to 2048, not 4096/, /the default/],
    [
      "too little log",
      { limits: { logBytes: 10 } },
      "limits.logBytes",
      /1024 \(1 KB\) to 16777216 \(16\.0 MB\)/,
      /default/,
    ],
    [
      "half an effect",
      { limits: { effects: 1.5 } },
      "limits.effects",
      /whole number from 1 to 100000, not 1\.5/,
      /parts/,
    ],
    ["too many at a time", { limits: { inFlight: 65 } }, "limits.inFlight", /1 to 64/, /default/],
    [
      "an unknown rule for crashes",
      { onUncertain: "retry" },
      "onUncertain",
      /"ask"\|"repeat"\|"skip"/,
      /a person decides/,
    ],
    ["nobody who may start it", { callers: [] }, "callers", /must name somebody/, /leave it out for all/],
    [
      "an unknown caller",
      { callers: ["cron"] },
      "callers.0",
      /"schedule"\|"person"/,
      /schedule, person, host, job, agent/,
    ],
    [
      "a schedule that may not start it",
      { schedule: "0 8 * * *", callers: ["person"] },
      "callers",
      /has a schedule/,
      /add "schedule" to callers/,
    ],
    [
      "two schedules of one key",
      {
        schedule: [
          { key: "a", cron: "0 1 * * *" },
          { key: "a", cron: "0 2 * * *" },
        ],
      },
      "schedule",
      /two schedules have the key "a"/,
      /own key/,
    ],
    [
      "a scheduled job whose input has no default",
      {
        schedule: "0 8 * * *",
        input: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
      "input",
      /city has no default/,
      /default/,
    ],
  ])("refuses %s", (_, declared, path, message, hint) => {
    const [first] = problemsOf(declared);
    expect(first).toMatchObject({ path, message: expect.stringMatching(message) });
    expect(first?.hint ?? "").toMatch(hint);
  });
});

test.each([
  ["500ms", 500],
  ["60s", 60_000],
  ["1.5h", 5_400_000],
  ["3d", 259_200_000],
  [250, 250],
  ["60", undefined],
  ["-1s", undefined],
  [1.5, undefined],
  [null, undefined],
])("the duration %s", (written, ms) => {
  expect(parseDuration(written)).toBe(ms);
});
