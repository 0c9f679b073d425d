import { describe, expect, test } from "vitest";
import { testPermissions } from "../../tests/support/runs.ts";
import type { ExecGrant } from "../jobs/manifest.ts";
import { folderReach } from "./folder-reach.ts";
import { newPermissionLines, permissionLines } from "./permission-lines.ts";

type Powers = Parameters<typeof testPermissions>[0];

const git: ExecGrant = {
  command: "/usr/bin/git",
  args: ["log", "**"],
  cwd: "/srv/project",
  env: {},
  repeatable: false,
};

function added(before: Powers, after: Powers): string[] {
  return newPermissionLines(testPermissions(before), testPermissions(after));
}

test("every permission has its line, the gravest first", () => {
  const permissions = testPermissions({
    net: [
      { host: "api.example.org", port: 8443, private: false },
      { host: "nas.example.org", port: null, private: true },
    ],
    secrets: { TOKEN: ["api.example.org:8443"] },
    files: { read: ["/srv/notes", "/"], write: ["/srv/out"] },
    llm: ["gpt-oss:120b-cloud", "qwen3:4b"],
    notify: ["desktop"],
    exec: [git, { command: "/bin/sh", args: ["-c", "*"], cwd: null, env: { TZ: "UTC" }, repeatable: true }],
    run: ["weekly-report"],
  });
  expect(permissionLines({ permissions })).toEqual([
    "PRIVATE NETWORK: may reach nas.example.org at private addresses",
    'PROGRAM: may run "/usr/bin/git" "log" "**": outside of the sandbox, with all that you may do, with any further arguments, in the folder /srv/project',
    'PROGRAM: may run "/bin/sh" "-c" "*": it runs any code that it is given, with TZ="UTC"; after a crash it is started again unasked',
    "ALL FILES: may read everything on the disk, in /",
    "JOB: may start weekly-report, with any input, and read what it returns",
    "HOST: may send to api.example.org:8443",
    "SECRET: may use TOKEN, sent to api.example.org:8443",
    "FILES: may read, change and delete everything in /srv/out",
    "FILES: may read everything in /srv/notes",
    "CLOUD MODEL: may send anything that it knows to gpt-oss:120b-cloud, which does not run on this machine",
    "MODEL: may ask the local model qwen3:4b",
    "MESSAGE: may send any text to your target desktop",
  ]);
  expect(permissionLines({ permissions: testPermissions() })).toEqual([]);
});

describe("what is new since the signed version", () => {
  test.each<[string, Powers, Powers, string[]]>([
    ["nothing", { exec: [git], llm: ["a"] }, { exec: [git], llm: ["a"] }, []],
    [
      "a folder inside a granted one is not",
      { files: { read: ["/srv"], write: [] } },
      { files: { read: ["/srv/a"], write: [] } },
      [],
    ],
    [
      "a folder beside it that begins alike is",
      { files: { read: ["/srv/a"], write: [] } },
      { files: { read: ["/srv/ab"], write: [] } },
      ["FILES: may read everything in /srv/ab"],
    ],
    [
      "reading what may be written already is not",
      { files: { read: [], write: ["/srv"] } },
      { files: { read: ["/srv/a"], write: ["/srv"] } },
      [],
    ],
    [
      "writing what may be read already is",
      { files: { read: ["/srv"], write: [] } },
      { files: { read: ["/srv"], write: ["/srv"] } },
      ["FILES: may read, change and delete everything in /srv"],
    ],
    [
      "everything below the root of the disk is granted with it",
      { files: { read: ["/"], write: [] } },
      { files: { read: ["/srv"], write: [] } },
      [],
    ],
    [
      "the folder above a granted one is",
      { files: { read: ["/home/ann/notes"], write: [] } },
      { files: { read: ["/home/ann"], write: [] } },
      ["HOME FOLDER: may read everything in /home/ann, with keys, mail and documents"],
    ],
    [
      "a program with other arguments is",
      { exec: [git] },
      { exec: [{ ...git, args: ["**"] }] },
      [
        'PROGRAM: may run "/usr/bin/git" "**": outside of the sandbox, with all that you may do, with any further arguments, in the folder /srv/project',
      ],
    ],
    [
      "an environment in another order is not",
      { exec: [{ ...git, env: { A: "1", B: "2" } }] },
      { exec: [{ ...git, env: { B: "2", A: "1" } }] },
      [],
    ],
    [
      "a program that may be repeated now is",
      { exec: [git] },
      { exec: [{ ...git, repeatable: true }] },
      [expect.stringContaining("after a crash it is started again unasked")],
    ],
    ["one that may not be any more is not", { exec: [{ ...git, repeatable: true }] }, { exec: [git] }, []],
    ["a further job is", { run: ["a"] }, { run: ["a", "b"] }, [expect.stringContaining("JOB: may start b")]],
    [
      "another port is another host",
      { net: [{ host: "a.example.org", port: null, private: false }] },
      { net: [{ host: "a.example.org", port: 8443, private: false }] },
      ["HOST: may send to a.example.org:8443"],
    ],
    [
      "a host at private addresses is, though it was granted before",
      { net: [{ host: "a.example.org", port: null, private: false }] },
      { net: [{ host: "a.example.org", port: null, private: true }] },
      ["PRIVATE NETWORK: may reach a.example.org at private addresses"],
    ],
  ])("%s", (_, before, after, lines) => {
    expect(added(before, after)).toEqual(lines);
  });
});

test.each([
  ["/", "disk"],
  ["C:\\", "disk"],
  ["/home", "home"],
  ["/home/bob", "home"],
  ["/Users/bob", "home"],
  ["/root", "home"],
  ["C:\\Users\\bob", "home"],
  ["/data/people/ann", "home"],
  ["/data", "home"],
  ["/home/bob/.ssh", "hidden"],
  ["/srv/.git", "hidden"],
  ["/Users/bob/Library/Mail", "hidden"],
  ["/etc", "system"],
  ["/usr/local/bin", "system"],
  ["/var/lib/docker", "system"],
  ["C:\\Windows\\System32", "system"],
  ["/var/tmp/x", "folder"],
  ["/private/tmp/x", "folder"],
  ["/srv/notes", "folder"],
  ["/data/people/anna", "folder"],
  ["/home/bob/notes", "folder"],
  ["/rooted", "folder"],
])("%s reaches: %s", (path, reach) => {
  expect(folderReach(path, "/data/people/ann")).toBe(reach);
});
