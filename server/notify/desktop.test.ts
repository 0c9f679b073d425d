import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { NotifyMessage } from "../effects/services.ts";
import { sendToDesktop } from "./desktop.ts";

const folder = mkdtempSync(join(tmpdir(), "jr-desktop-"));
const outcome = join(folder, "outcome");
afterAll(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;

/** Puts a program there that does this. */
function program(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

function send(platform: string, more: Partial<NotifyMessage> = {}, ended = signal): Promise<void> {
  const message: NotifyMessage = { target: "desktop", title: "Title", text: "Text", urgency: "high" };
  return sendToDesktop({ ...message, ...more }, { signal: ended }, { platform, folders: [folder] });
}

test.each([
  ["linux", "notify-send", ["--app-name=JobRunner", "--urgency=critical", "--", "-t $(id) x", "&lt;b&gt; `id` -x"]],
  ["darwin", "osascript", ["-", "-t $(id) x", "<b> `id` -x"]],
])("on %s %s gets title and text as arguments", async (platform, name, args) => {
  program(name, `printf '%s\\n' "$@" > '${outcome}'; cat >> '${outcome}'`);
  await send(platform, { title: "-t $(id)\nx", text: "<b> `id` -x" });
  const lines = readFileSync(outcome, "utf8").split("\n");
  expect(lines.slice(0, args.length)).toEqual(args);
  expect(lines.includes("on run argv")).toBe(platform === "darwin");
});

test("on win32 they are in the environment, next to a script that is always the same", async () => {
  program("powershell.exe", `printf '%s|' "$JOBRUNNER_TITLE" "$JOBRUNNER_TEXT" "$4" "$JOBRUNNER_HOME" > '${outcome}'`);
  process.env.JOBRUNNER_HOME ??= "/nowhere";
  await send("win32", { title: "'; exit", text: "a\0b" });
  const [title, text, script] = readFileSync(outcome, "utf8").split("|");
  expect([title, text]).toEqual(["'; exit", "a b"]);
  expect(script).not.toContain("exit");
});

test("a program that fails, is not there or has no desktop is no delivery", async () => {
  program("notify-send", "exit 3");
  await expect(send("linux")).rejects.toThrow("failed with 3");
  rmSync(join(folder, "notify-send"));
  await expect(send("linux")).rejects.toThrow("notify-send is not installed");
  await expect(send("aix")).rejects.toThrow("no desktop for messages on aix");
});

test("the signal ends the program", async () => {
  program("notify-send", `echo started > '${outcome}.started'; exec sleep 60`);
  const control = new AbortController();
  const failure = send("linux", {}, control.signal);
  await expect.poll(() => readFileSync(`${outcome}.started`, { encoding: "utf8", flag: "a+" })).toContain("started");
  control.abort(new Error("ended"));
  await expect(failure).rejects.toThrow("ended");
});
