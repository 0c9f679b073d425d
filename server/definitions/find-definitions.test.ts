import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { homePaths } from "../home.ts";
import { findDefinitions } from "./find-definitions.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "jr-definitions-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function write(path: string, text: string | Buffer): void {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
}

function find(skillPaths: readonly string[] = []) {
  const home = homePaths({ JOBRUNNER_HOME: join(root, "home") });
  return findDefinitions({ home, skillPaths, env: { PATH: "/usr/bin:/bin" }, shipped: join(root, "shipped") });
}

async function problems() {
  const { problems: all } = await find();
  return [...all.values()].flat().map(({ file, line, message }) => `${file.slice(root.length + 1)}:${line} ${message}`);
}

const role = (head: string, body = "Do it.") => `---\ndescription: Does it\n${head}\n---\n${body}\n`;

test("a role's permissions are frozen: names sorted, paths whole, every default written out", async () => {
  write(
    "home/roles/helper.md",
    role(
      [
        'models: [ollama:qwen3:4b, claude, { provider: gemini, model: "gemini-2.5-flash" }]',
        "skills: [write-job]",
        "mcp: { GitHub: [search, read] }",
        "tools: [web_fetch, answer, file_read, answer]",
        "permissions:",
        "  net: [API.example.org, { host: nas.example.org, port: 8080, private: true }]",
        "  files: { read: [., ~/notes], write: [.] }",
        "  commands: [test]",
        "  jobs: [feed-watch]",
        "limits: { timeout: 90s, usd: 1.5 }",
      ].join("\n"),
    ).replaceAll("\n", "\r\n"),
  );
  const { found } = await find();
  expect(found).toEqual([
    expect.objectContaining({ kind: "role", name: "helper", origin: "home", proposedBy: "folder" }),
  ]);
  expect(found[0]?.manifest).toEqual({
    description: "Does it",
    instructions: "Do it.",
    models: [
      { provider: "ollama", model: "qwen3:4b" },
      { provider: "claude", model: null },
      { provider: "gemini", model: "gemini-2.5-flash" },
    ],
    skills: ["write-job"],
    mcp: { GitHub: ["read", "search"] },
    tools: ["answer", "file_read", "web_fetch"],
    permissions: {
      net: [
        { host: "api.example.org", port: null, private: false },
        { host: "nas.example.org", port: 8080, private: true },
      ],
      files: { read: [".", join(homedir(), "notes")], write: ["."] },
      commands: ["test"],
      jobs: ["feed-watch"],
    },
    answer: null,
    temperature: null,
    limits: {
      turns: 20,
      toolCalls: 40,
      tokens: 100_000,
      usd: 1.5,
      timeoutMs: 90_000,
      contextTokens: 8_192,
      outputTokens: 2_048,
      depth: 0,
    },
  });
});

test.each<[string, string, RegExp]>([
  ["no frontmatter", "Do it.", /^home\/roles\/helper\.md:1 it must begin with a line "---"/],
  ["no instructions", "---\ndescription: x\n---\n", /:1 it has no instructions/],
  ["broken YAML", role("tools: [a"), /:\d this is not YAML/],
  ["an unknown key", role("tool: [answer]"), /:3 there is no key "tool". Did you mean "tools"\?/],
  ["an unknown key below", role("limits:\n  turn: 3"), /:4 there is no key "limits.turn". Did you mean "turns"\?/],
  ["an unknown tool", role("tools:\n  - answer\n  - file_reed"), /:5 there is no tool "file_reed"/],
  ["an approving tool", role("tools: [job_approve]"), /there is no tool "job_approve"/],
  ["a wildcard host", role('permissions: { net: ["*.example.org"] }'), /:3 .*wildcard/],
  ["a path that leads out", role("permissions: { files: { read: [../x] } }"), /:3 .*"\.\."/],
  ["JobRunner's own home", role("permissions: { files: { write: [HOME] } }"), /:3 .*own home folder/],
  ["a model that is none", role("models: [gpt-5]"), /:3 .*names no model|Invalid input/],
  ["an answer that is no schema", role("answer: { type: 7 }"), /:3 the answer is no JSON Schema/],
  ["a limit beyond all limits", role("limits: { turns: 100000 }"), /:3 "limits.turns"/],
  ["YAML that grows", role("a: &a [x,x]\nb: &b [*a,*a]\nskills: [*b]"), /there is no key "a"/],
])("a role with %s is not accepted, with file and line", async (_what, text, message) => {
  write("home/roles/helper.md", text.replace("HOME", join(root, "home", "keys")));
  expect((await problems()).join("\n")).toMatch(message);
  expect((await find()).found).toEqual([]);
});

test("a file that is no plain text is not read, and what it is named after stays seen", async () => {
  write("home/roles/large.md", "x".repeat(300 * 1024));
  write("home/roles/binary.md", Buffer.from([0x2d, 0, 1]));
  write("home/roles/latin.md", Buffer.from([0xe9, 0x0a]));
  write("home/roles/Bad Name.md", role(""));
  symlinkSync("/etc/passwd", join(root, "home/roles/link.md"));
  mkdirSync(join(root, "home/roles/folder.md"));
  expect(await problems()).toEqual([
    expect.stringMatching(/Bad Name\.md:1 .*cannot name a role/),
    expect.stringMatching(/binary\.md:1 it is no text/),
    expect.stringMatching(/large\.md:1 it has 300 KB/),
    expect.stringMatching(/latin\.md:1 it is no text/),
    expect.stringMatching(/link\.md:1 it is a symbolic link/),
  ]);
  expect([...(await find()).seen].sort()).toEqual(["role:binary", "role:large", "role:latin", "role:link"]);
});

test("the home takes the place of what is shipped, also where its file has a mistake", async () => {
  write("shipped/templates/roles/helper.md", role("", "Shipped."));
  write("shipped/templates/roles/other.md", role("", "Shipped."));
  write("home/roles/helper.md", role("", "Mine."));
  const manifests = async () => (await find()).found.map(({ name, origin }) => `${name} ${origin}`);
  expect(await manifests()).toEqual(["helper home", "other shipped"]);
  write("home/roles/helper.md", role("tool: []"));
  expect(await manifests()).toEqual(["other shipped"]);
});

const skill = (name: string) => `---\nname: ${name}\ndescription: Read it when\nlicense: MIT\n---\n# ${name}\n`;

test("a skill is all its texts, and nothing that a link brings in", async () => {
  write("home/skills/mine/SKILL.md", skill("mine"));
  write("home/skills/mine/refs/a.md", "a");
  write("home/skills/mine/logo.png", Buffer.from([0x89, 0, 1]));
  write("home/skills/mine/.git/config", "secret");
  write("home/skills/mine/node_modules/x/index.js", "x");
  const { found } = await find();
  expect(found[0]?.manifest).toEqual({
    description: "Read it when",
    files: ["SKILL.md", "refs/a.md"],
    leftOut: ["logo.png"],
  });
  expect([...(found[0]?.files.keys() ?? [])]).toEqual(["SKILL.md", "refs/a.md"]);
  symlinkSync("/etc/passwd", join(root, "home/skills/mine/refs/b.md"));
  expect(await problems()).toEqual([expect.stringMatching(/mine\/refs\/b\.md:1 it is a symbolic link/)]);
});

test("a skill that is named otherwise, has no SKILL.md, or is a link, is not accepted", async () => {
  write("home/skills/one/SKILL.md", skill("two"));
  write("home/skills/empty/readme.md", "x");
  write("elsewhere/away/SKILL.md", skill("away"));
  symlinkSync(join(root, "elsewhere/away"), join(root, "home/skills/away"));
  expect(await problems()).toEqual([
    expect.stringMatching(/away:1 it is a symbolic link/),
    expect.stringMatching(/empty\/SKILL\.md:1 it has no SKILL\.md/),
    expect.stringMatching(/one\/SKILL\.md:2 the skill calls itself "two"/),
  ]);
  expect((await find()).found).toEqual([]);
  rmSync(join(root, "home/skills/away"));
  expect((await find([join(root, "elsewhere")])).found).toEqual([
    expect.objectContaining({ name: "away", origin: "path" }),
  ]);
});

test("MCP servers are read from the usual JSON, their programs by whole path", async () => {
  const servers = {
    shell: { command: "sh", args: ["-c", "true"], env: { TOKEN: "${secret:GH_TOKEN}" }, autoApprove: ["x"] },
    web: { type: "http", url: "https://mcp.example.org/mcp", headers: { authorization: "Bearer ${secret:KEY}" } },
    off: { command: "sh", disabled: true },
  };
  write("home/mcp.json", JSON.stringify({ mcpServers: servers, other: 1 }));
  const { found, problems: wrong } = await find();
  expect([...wrong]).toEqual([]);
  expect(found.map(({ name, manifest }) => [name, manifest])).toEqual([
    [
      "shell",
      {
        transport: "stdio",
        command: expect.stringMatching(/^(\/usr)?\/bin\/sh$/),
        args: ["-c", "true"],
        env: { TOKEN: "${secret:GH_TOKEN}" },
      },
    ],
    [
      "web",
      {
        transport: "http",
        url: "https://mcp.example.org/mcp",
        headers: { authorization: "Bearer ${secret:KEY}" },
      },
    ],
  ]);
});

test.each<[string, unknown, RegExp]>([
  ["neither command nor url", {}, /:3 x: it needs a command/],
  ["both", { command: "sh", url: "https://a.example" }, /:3 x: it has both/],
  ["a program that is not there", { command: "no-such-program" }, /:4 x: there is no program "no-such-program"/],
  [
    "a secret in the open",
    { command: "sh", env: { GITHUB_TOKEN: "ghp_123456" } },
    /x: GITHUB_TOKEN stands there in the open/,
  ],
  [
    "a header in the open",
    { url: "https://a.example", headers: { Authorization: "Bearer abc" } },
    /x: Authorization stands/,
  ],
  ["a variable of a shell", { command: "sh", env: { A: "${HOME}" } }, /x: A holds a \$\{…\} that is not known/],
  ["a secret among its arguments", { command: "sh", args: ["${secret:A}"] }, /x: the argument .* holds/],
  ["an address of a file", { url: "file:///etc/passwd" }, /x: .* is no http or https address/],
  ["a password in its address", { url: "https://a:b@a.example" }, /x: its url holds a secret/],
  ["an unknown key", { command: "sh", evn: {} }, /:5 there is no key "mcpServers.x.evn". Did you mean "env"\?/],
])("an MCP server with %s is not accepted", async (_what, server, message) => {
  write("home/mcp.json", JSON.stringify({ mcpServers: { x: server } }, null, 2));
  expect((await problems()).join("\n")).toMatch(message);
  const { found, seen } = await find();
  expect(found).toEqual([]);
  if (!message.source.includes("evn")) expect([...seen]).toEqual(["mcp_server:x"]);
});

test("a file of servers or commands that cannot be read says where, and takes nothing away", async () => {
  write("home/mcp.json", '{\n  "mcpServers": {\n    oops\n');
  write("home/commands.yaml", "a: [\n");
  const { unread } = await find();
  expect([...unread].sort()).toEqual(["command", "mcp_server"]);
  expect((await problems()).join("\n")).toMatch(
    /mcp\.json:3 this is not JSON[\s\S]*commands\.yaml:\d this is not YAML/,
  );
});

test("commands have a whole path, and the others count where one has not", async () => {
  write(
    "home/commands.yaml",
    `test:
  description: Runs the tests
  program: /usr/bin/npm
  args: [test, "**"]
  env: [CI]
  secrets: [NPM_TOKEN]
  timeout: 10m
bad:
  description: x
  program: npm
worse:
  description: x
  program: /bin/ls
  args: ["a**b"]
`,
  );
  const { found } = await find();
  expect(found.map(({ name, manifest }) => [name, manifest])).toEqual([
    [
      "test",
      {
        description: "Runs the tests",
        program: "/usr/bin/npm",
        args: ["test", "**"],
        cwd: null,
        env: ["CI"],
        secrets: ["NPM_TOKEN"],
        timeoutMs: 600_000,
        outputBytes: 1_048_576,
      },
    ],
  ]);
  expect(await problems()).toEqual([
    expect.stringMatching(/commands\.yaml:10 bad: "npm" is not the whole path/),
    expect.stringMatching(/commands\.yaml:14 worse: "a\*\*b"/),
  ]);
});
