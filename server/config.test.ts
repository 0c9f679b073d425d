import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "./config.ts";
import { configFile } from "./config-schema.ts";
import { readConfigText } from "./config-text.ts";
import { defaultConfigText } from "./default-config.ts";
import { UserError } from "./errors.ts";
import { homePaths } from "./home.ts";

const root = mkdtempSync(join(tmpdir(), "jr-config-"));
afterAll(() => rmSync(root, { recursive: true }));
const home = homePaths({ JOBRUNNER_HOME: root });

function problemOf(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    if (error instanceof UserError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("no error");
}

test("labels come from the environment, else from the file", () => {
  writeFileSync(home.config, "labels: [gpu]\n");
  expect(loadConfig(home, {}).labels).toEqual(["gpu"]);
  expect(loadConfig(home, { JOBRUNNER_LABELS: "office, quiet" }).labels).toEqual(["office", "quiet"]);
  expect(problemOf(() => loadConfig(home, { JOBRUNNER_LABELS: "Büro" })).message).toMatch(/JOBRUNNER_LABELS.*label/);
  rmSync(home.config);
});

test.each([
  { text: "htp:\n  port: 1\n", message: 'c.yaml:1: there is no setting "htp". Did you mean "http"?' },
  { text: "# x\nhttp:\n  prot: 1\n", message: 'c.yaml:3: there is no setting "http.prot". Did you mean "port"?' },
  { text: "http:\n  port: 99999\n", message: /^c\.yaml:2: "http\.port": .*65535/ },
  { text: "log:\n  level: loud\n", message: /^c\.yaml:2: "log\.level": / },
  { text: "timezone: Mars/Base\n", message: /^c\.yaml:1: "timezone": it is not a time zone/ },
  { text: "store:\n  url: mysql://x\n", message: /^c\.yaml:2: "store\.url": it is not a PostgreSQL address/ },
  { text: "ollama:\n  url: localhost\n", message: /^c\.yaml:2: "ollama\.url": it is not a web address/ },
  { text: "ollama:\n  keepAlive: long\n", message: /^c\.yaml:2: "ollama\.keepAlive": it is not a duration/ },
  { text: "notify:\n  default: phone\n", message: /^c\.yaml:2: "notify\.default": no target/ },
  { text: "notify:\n  targets:\n    My_Phone:\n      kind: desktop\n", message: /^c\.yaml:3: .*lower-case letters/ },
  {
    text: "notify:\n  targets:\n    a:\n      kind: mail\n",
    message: /^c\.yaml:4: .*desktop, webhook, slack, discord or ntfy/,
  },
  { text: "notify:\n  targets:\n    a:\n      kind: ntfy\n", message: /^c\.yaml:3: "notify\.targets\.a\.url": / },
  {
    text: "notify:\n  targets:\n    a:\n      kind: slack\n      urll: https://x.example\n",
    message: /c\.yaml:5: there is no setting "notify\.targets\.a\.urll"\. Did you mean "url"\?/,
  },
  { text: "alerts:\n  targets: [phone]\n", message: /^c\.yaml:2: "alerts\.targets\.0": no target .*"phone"/ },
  { text: "alerts:\n  every: 10s\n", message: /^c\.yaml:2: "alerts\.every": it is no time from a minute to a day/ },
  { text: "alerts:\n  every: often\n", message: /^c\.yaml:2: "alerts\.every": it is no time/ },
  { text: "alerts:\n  evry: 1h\n", message: /^c\.yaml:2: there is no setting "alerts\.evry"\. Did you mean "every"\?/ },
  { text: "agents:\n  models:\n    - provider: gpt\n", message: /^c\.yaml:2: .*ollama, claude, gemini, codex/ },
  { text: "agents:\n  cloud:\n    claude:\n      enable: true\n", message: /^c\.yaml:4: .*Did you mean "enabled"\?/ },
  { text: "agents:\n  cloud:\n    codex:\n      timeout: 2d\n", message: /^c\.yaml:4: .*from a second to an hour/ },
  { text: "a: [1\n", message: /^c\.yaml:\d: this is not YAML/ },
  { text: "just words\n", message: /^c\.yaml:1: settings are written as/ },
  { text: "x: 1\nlocale: 5\n", message: /^c\.yaml:2: "locale".*\nc\.yaml:1: there is no setting "x"/ },
])("$text is refused with its line and the fix", ({ text, message }) => {
  const problem = problemOf(() => readConfigText(text, "c.yaml"));
  expect(problem.code).toBe("invalid_config");
  expect(problem.message).toMatch(message);
});

test("the generated file says nothing but defaults, and its comments are settings that exist", () => {
  expect(readConfigText(defaultConfigText(), "c.yaml")).toEqual(configFile.parse({}));
  const uncommented = defaultConfigText().replace(/^# ( *(- )?[a-z][a-zA-Z]*:)/gm, "$1");
  expect(readConfigText(uncommented, "c.yaml")).toMatchObject({ jobs: "~/automations", http: { port: 7717 } });
});

test("alerts go to the usual target unless others are named, each once", () => {
  const phone = "notify:\n  default: phone\n  targets:\n    phone: { kind: desktop }\n    desk: { kind: desktop }\n";
  for (const [alerts, wanted] of [
    ["", { targets: ["phone"], everyMs: 3_600_000, recovery: true, tasks: true }],
    [
      "alerts:\n  every: 30m\n  recovery: false\n  tasks: false\n",
      { targets: ["phone"], everyMs: 1_800_000, recovery: false, tasks: false },
    ],
    [
      "alerts:\n  targets: [desk, phone, desk]\n",
      { targets: ["desk", "phone"], everyMs: 3_600_000, recovery: true, tasks: true },
    ],
    ["alerts:\n  targets: []\n", { targets: [], everyMs: 3_600_000, recovery: true, tasks: true }],
  ] as const) {
    writeFileSync(home.config, phone + alerts);
    expect(loadConfig(home, {}).alerts).toEqual(wanted);
  }
});

test("the environment wins over the file, and a relative jobs folder counts from the home folder", () => {
  writeFileSync(home.config, "jobs: mine\nhttp:\n  port: 8000\n");
  expect(loadConfig(home, {})).toMatchObject({
    jobsFolder: join(root, "mine"),
    http: { port: 8000 },
    databaseUrl: null,
  });
  const env = { JOBRUNNER_JOBS: "/tmp/other", JOBRUNNER_PORT: "0", DATABASE_URL: "postgres://db.example.org/x" };
  expect(loadConfig(home, env)).toMatchObject({
    jobsFolder: "/tmp/other",
    http: { port: 0 },
    databaseUrl: env.DATABASE_URL,
  });
  expect(problemOf(() => loadConfig(home, { JOBRUNNER_PORT: "many" })).message).toContain("JOBRUNNER_PORT");
});

test("the desktop is a target unless another has its name, and the default can be any", () => {
  const phone = { kind: "ntfy", url: "https://ntfy.example.org/topic" };
  const text = `notify:\n  default: phone\n  targets:\n    phone: ${JSON.stringify(phone)}\n`;
  expect(readConfigText(text, "c.yaml").notify).toEqual({
    default: "phone",
    targets: { desktop: { kind: "desktop" }, phone },
  });
  const replaced = `notify:\n  targets:\n    desktop: ${JSON.stringify(phone)}\n`;
  expect(readConfigText(replaced, "c.yaml").notify).toEqual({ default: "desktop", targets: { desktop: phone } });
});

test.each([
  [undefined, "http://127.0.0.1:11434"],
  ["", "http://127.0.0.1:11434"],
  ["example.org", "http://example.org:11434"],
  ["example.org:80", "http://example.org"],
  ["example.org:1234", "http://example.org:1234"],
  [":1234", "http://127.0.0.1:1234"],
  ["0.0.0.0", "http://127.0.0.1:11434"],
  ["0.0.0.0:1234", "http://127.0.0.1:1234"],
  ["::1", "http://[::1]:11434"],
  ["[::]:1234", "http://[::1]:1234"],
  ['"example.org"', "http://example.org:11434"],
  ["http://example.org", "http://example.org"],
  ["https://example.org/ollama/", "https://example.org/ollama"],
  ["example.org/ollama", "http://example.org:11434/ollama"],
])("OLLAMA_HOST %j means %s", (given, url) => {
  expect(loadConfig(home, given === undefined ? {} : { OLLAMA_HOST: given }).ollama).toMatchObject({
    url,
    keepAlive: "5m",
  });
});

test.each(["ftp://example.org", "http://", "a b"])("OLLAMA_HOST %j is refused", (given) => {
  expect(problemOf(() => loadConfig(home, { OLLAMA_HOST: given })).message).toContain("OLLAMA_HOST");
});
