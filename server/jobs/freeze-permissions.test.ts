import { describe, expect, test } from "vitest";
import { freezeManifest } from "./freeze-manifest.ts";

const defaults = {
  timezone: "UTC",
  locale: "en-US",
  now: new Date("2026-11-01T00:00:00Z"),
  folders: { user: "/home/ann", own: "/home/ann/.jobrunner" },
};

function freeze(declared: object) {
  return freezeManifest(JSON.stringify({ description: "a test", input: null, ...declared }), defaults);
}

function permissionsOf(permissions: object) {
  const frozen = freeze({ permissions });
  if (!frozen.ok) throw new Error(JSON.stringify(frozen.problems));
  return frozen.manifest.permissions;
}

function problemsOf(declared: object) {
  const frozen = freeze(declared);
  return frozen.ok ? [] : frozen.problems;
}

// Paths of Windows are frozen by the same code with node:path's other half.
describe.skipIf(process.platform === "win32")("what may be granted", () => {
  test("folders become absolute, normalized, sorted, and stand once", () => {
    const { files } = permissionsOf({
      files: { read: ["~/notes/", "/srv//data/./x", "/home/ann/notes", "~"], write: ["/"] },
    });
    expect(files).toEqual({ read: ["/home/ann", "/home/ann/notes", "/srv/data/x"], write: ["/"] });
  });

  test("a folder that only begins like our own is granted", () => {
    expect(permissionsOf({ files: { read: ["~/.jobrunner-notes", "~/..notes"] } }).files.read).toEqual([
      "/home/ann/..notes",
      "/home/ann/.jobrunner-notes",
    ]);
  });

  test("a program keeps its patterns in order, and every default is written out", () => {
    const { exec } = permissionsOf({
      exec: [{ command: "/usr/bin/git", args: ["log", "--since=*", "**"], cwd: "~/project/" }],
    });
    expect(exec).toEqual([
      {
        command: "/usr/bin/git",
        args: ["log", "--since=*", "**"],
        cwd: "/home/ann/project",
        env: {},
        repeatable: false,
      },
    ]);
  });

  test("names are sorted and stand once", () => {
    expect(
      permissionsOf({
        llm: ["qwen3:4b", "ann/mine:Q4_K_M", "qwen3:4b"],
        notify: ["phone", "desktop"],
        run: ["b", "a"],
      }),
    ).toMatchObject({ llm: ["ann/mine:Q4_K_M", "qwen3:4b"], notify: ["desktop", "phone"], run: ["a", "b"] });
  });

  test.each<[string, object, string, RegExp, RegExp]>([
    ["a relative folder", { files: { read: ["notes"] } }, "files.read.0", /no absolute path/, /write "~\/notes"/],
    ["a folder of another's home", { files: { read: ["~bob/x"] } }, "files.read.0", /no absolute path/, /whole path/],
    ["a way up", { files: { write: ["~/notes/../.ssh"] } }, "files.write.0", /has "\.\."/, /without it/],
    ["a pattern", { files: { read: ["~/notes/*.md"] } }, "files.read.0", /has a pattern/, /name the folder/],
    ["NUL", { files: { read: ["/srv/a\0b"] } }, "files.read.0", /control character/, /as it is on the disk/],
    ["an empty folder", { files: { read: [""] } }, "files.read.0", /the name of a folder/, /~\/notes/],
    ["our own folder", { files: { read: ["~/.jobrunner"] } }, "files.read.0", /JobRunner's own home/, /kv/],
    ["what lies in it", { files: { write: ["~/.jobrunner/jobs"] } }, "files.write.0", /own home/, /artifacts/],
    ["files as a list", { files: ["~/notes"] }, "files", /expected object/, /files: \{ read/],
    ["a misspelt key of files", { files: { reads: [] } }, "files.reads", /in permissions\.files/, /"read"/],
    ["a program by name", { exec: [{ command: "git" }] }, "exec.0.command", /whole path/, /\/usr\/bin\/git/],
    ["a command line", { exec: [{ command: "git log" }] }, "exec.0.command", /whole path/, /args/],
    ["a program in the home", { exec: [{ command: "~/bin/x" }] }, "exec.0.command", /whole path/, /command -v x/],
    ["our own program", { exec: [{ command: "/home/ann/.jobrunner/bin/jr" }] }, "exec.0.command", /own home/, /kv/],
    ["a program as text", { exec: ["/usr/bin/git"] }, "exec.0", /expected object/, /command: "\/usr\/bin\/git"/],
    [
      "further arguments in the middle",
      { exec: [{ command: "/usr/bin/git", args: ["**", "log"] }] },
      "exec.0.args.0",
      /the last one/,
      /any characters/,
    ],
    [
      "half of an argument as further ones",
      { exec: [{ command: "/usr/bin/git", args: ["log**"] }] },
      "exec.0.args.0",
      /whole pattern/,
      /any characters/,
    ],
    [
      "a relative folder to start in",
      { exec: [{ command: "/usr/bin/git", cwd: "project" }] },
      "exec.0.cwd",
      /no absolute path/,
      /"~\/project"/,
    ],
    [
      "a variable that is none",
      { exec: [{ command: "/usr/bin/git", env: { "A B": "x" } }] },
      "exec.0.env.A B",
      /environment variable/,
      /^$/,
    ],
    ["a model as text", { llm: "qwen3:4b" }, "llm", /list of models/, /llm: \["qwen3:4b"\]/],
    ["no model", { llm: ["http://x/y"] }, "llm.0", /names no model/, /ollama list/],
    ["no target", { notify: ["My Phone"] }, "notify.0", /names no target/, /config\.yaml/],
    ["no job", { run: ["Weekly Report"] }, "run.0", /cannot name a job/, /job_list/],
    ["artifacts", { artifacts: true }, "artifacts", /no permission "artifacts"/, /need no permission/],
    ["agents", { agent: {} }, "agent", /no permission "agent"/, /stand in permissions\.agents/],
  ])("refuses %s", (_, permissions, path, message, hint) => {
    const [first] = problemsOf({ permissions });
    expect(first).toMatchObject({ path: `permissions.${path}`, message: expect.stringMatching(message) });
    expect(first?.hint ?? "").toMatch(hint);
  });

  test("every mistake is told at once", () => {
    const problems = problemsOf({
      permissions: { files: { read: ["a", "b/*"] }, exec: [{ command: "x", cwd: "y" }], llm: ["?"], net: ["*"] },
    });
    expect(problems.map(({ path }) => path)).toEqual([
      "permissions.net.0",
      "permissions.files.read.0",
      "permissions.files.read.1",
      "permissions.llm.0",
      "permissions.exec.0.command",
      "permissions.exec.0.cwd",
    ]);
  });
});
