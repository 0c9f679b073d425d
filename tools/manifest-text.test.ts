import { expect, test } from "vitest";
import { testManifest, testPermissions } from "../tests/support/runs.ts";
import { manifestText } from "./manifest-text.ts";

const now = new Date("2026-11-20T12:00:00Z");

test("every permission of a manifest is told, and no text of it forms Markdown", () => {
  const permissions = testPermissions({
    net: [{ host: "nas.example.org", port: 8080, private: true }],
    secrets: { TOKEN: ["nas.example.org:8080"] },
    files: { read: ["/srv/notes"], write: ["/srv/`x`\n# y"] },
    llm: ["qwen3:4b"],
    notify: ["desktop"],
    run: ["weekly-report"],
    exec: [{ command: "/usr/bin/git", args: ["log", "**"], cwd: "/srv/project", env: { TZ: "UTC" }, repeatable: true }],
  });
  const lines = manifestText(testManifest({ permissions, onUncertain: "skip", callers: ["person"] }), now).split("\n");
  expect(lines.filter((line) => !line.startsWith("- limits"))).toEqual([
    "- schedule: none; it runs by request only",
    "- may fetch from: nas.example.org:8080 (private network)",
    "- secrets: TOKEN (sent to nas.example.org:8080)",
    "- may read files in: /srv/notes",
    "- may read and change files in: /srv/'x' # y",
    "- may ask models: qwen3:4b",
    "- may notify: desktop",
    "- may start jobs: weekly-report",
    '- may run: /usr/bin/git "log" "**" (in /srv/project; env {"TZ":"UTC"}; repeatable)',
    "- onUncertain: skip",
    "- started only by: person",
  ]);
});

test("what is left at its default takes no line", () => {
  expect(manifestText(testManifest(), now).split("\n")).toHaveLength(4);
});
