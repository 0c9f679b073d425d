import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterAll, expect, test } from "vitest";
import { loadConfig } from "../../config.ts";
import { homePaths } from "../../home.ts";
import { desktopProblem } from "../../notify/desktop.ts";
import { alertsCheck } from "./alerts-check.ts";

const root = mkdtempSync(join(tmpdir(), "jr-alerts-check-"));
afterAll(() => rmSync(root, { recursive: true }));

function look(settings: string | undefined) {
  const env = { JOBRUNNER_HOME: root };
  const home = homePaths(env);
  if (settings !== undefined) writeFileSync(home.config, settings);
  const out = new PassThrough();
  const { signal } = new AbortController();
  const streams = { stdin: Readable.from([]), stdout: out, stderr: out };
  const context = { env, home, ...streams, colour: false, interactive: false, signal };
  const config = settings === undefined ? undefined : loadConfig(home, env);
  return alertsCheck.look({ context, config, running: false });
}

test("without a daemon the settings and this machine's desktop are looked at", async () => {
  const hook =
    "notify:\n  targets:\n    desktop: { kind: desktop }\n    hook: { kind: webhook, url: http://127.0.0.1/x }\n";
  expect(await look(undefined)).toMatchObject({ level: "warn", text: expect.stringContaining("not looked at") });
  expect(await look(`${hook}alerts:\n  targets: []\n`)).toMatchObject({
    level: "ok",
    text: expect.stringContaining("jr status alone"),
  });
  expect(await look(`${hook}alerts:\n  targets: [hook]\n`)).toEqual({ level: "ok", text: "sent to hook" });
  const problem = desktopProblem();
  expect(await look(`${hook}alerts:\n  targets: [hook, desktop]\n`)).toMatchObject(
    problem === undefined
      ? { level: "ok", text: "sent to hook, desktop" }
      : {
          level: "warn",
          text: `desktop does not take them: ${problem}`,
          fix: expect.stringContaining("alerts.targets"),
        },
  );
});
